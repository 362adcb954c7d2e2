/**
 * The part of ONNX's schema that is written here, for reading it back with another implementation of protobuf.
 * Names and numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto (proto2, as there).
 */
import protobuf from "protobufjs";

const schema = `syntax = "proto2";
package onnx;
message AttributeProto {
  optional string name = 1; optional float f = 2; optional int64 i = 3; optional bytes s = 4;
  repeated float floats = 7; repeated int64 ints = 8; optional int32 type = 20;
}
message ValueInfoProto { optional string name = 1; optional TypeProto type = 2; }
message NodeProto {
  repeated string input = 1; repeated string output = 2; optional string name = 3; optional string op_type = 4;
  repeated AttributeProto attribute = 5; optional string doc_string = 6; optional string domain = 7;
}
message ModelProto {
  optional int64 ir_version = 1; optional string producer_name = 2; optional string producer_version = 3;
  optional string domain = 4; optional int64 model_version = 5; optional string doc_string = 6;
  optional GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8;
}
message StringStringEntryProto { optional string key = 1; optional string value = 2; }
message GraphProto {
  repeated NodeProto node = 1; optional string name = 2; repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12; repeated ValueInfoProto value_info = 13;
}
message TensorProto {
  repeated int64 dims = 1; optional int32 data_type = 2; optional string name = 8; optional bytes raw_data = 9;
  repeated StringStringEntryProto external_data = 13; optional int32 data_location = 14;
}
message TensorShapeProto {
  message Dimension { optional int64 dim_value = 1; optional string dim_param = 2; }
  repeated Dimension dim = 1;
}
message TypeProto {
  message Tensor { optional int32 elem_type = 1; optional TensorShapeProto shape = 2; }
  optional Tensor tensor_type = 1;
}
message OperatorSetIdProto { optional string domain = 1; optional int64 version = 2; }`;

const { root } = protobuf.parse(schema, { keepCase: true });
const modelType = root.lookupType("onnx.ModelProto");

/** What is left out in the file is left out here; 64-bit integers are numbers. */
export interface DecodedValueInfo {
  readonly name: string;
  readonly type?: {
    readonly tensor_type: {
      readonly elem_type: number;
      readonly shape: { readonly dim?: readonly { readonly dim_value?: number; readonly dim_param?: string }[] };
    };
  };
}
export interface DecodedNode {
  readonly input?: readonly string[];
  readonly output: readonly string[];
  readonly name: string;
  readonly op_type: string;
  readonly domain?: string;
  readonly attribute?: readonly {
    readonly name: string;
    readonly type: number;
    readonly f?: number;
    readonly i?: number;
    readonly s?: Uint8Array;
    readonly ints?: readonly number[];
  }[];
}
export interface DecodedTensor {
  readonly dims?: readonly number[];
  readonly data_type: number;
  readonly name: string;
  readonly raw_data?: Uint8Array;
  readonly external_data?: readonly { readonly key: string; readonly value: string }[];
  readonly data_location?: number;
}
export interface DecodedModel {
  readonly ir_version: number;
  readonly producer_name: string;
  readonly opset_import: readonly { readonly domain?: string; readonly version: number }[];
  readonly graph: {
    readonly name: string;
    readonly node?: readonly DecodedNode[];
    readonly initializer?: readonly DecodedTensor[];
    readonly input?: readonly DecodedValueInfo[];
    readonly output?: readonly DecodedValueInfo[];
    readonly value_info?: readonly DecodedValueInfo[];
  };
}

export const decodeModel = (bytes: Uint8Array): DecodedModel =>
  modelType.toObject(modelType.decode(bytes), { longs: Number }) as DecodedModel;

export const encodeDecoded = (model: DecodedModel): Uint8Array =>
  modelType.encode(modelType.fromObject(model)).finish();
