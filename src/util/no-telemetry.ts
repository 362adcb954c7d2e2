/**
 * ONNX Runtime sends usage data to its maker from version 1.29 on, under an identifier that it keeps in the home directory. Nothing leaves
 * this machine unasked: the variable below is its complete opt-out (https://github.com/microsoft/onnxruntime/pull/29843).
 *
 * It is read once, when the library is loaded, and from the process's own environment, which only the main thread can set. So whoever
 * loads the library, or starts a thread that will, imports this module first.
 */
process.env.ORT_DISABLE_TELEMETRY = "1";
