/**
 * What can be asked and said about each kind of entity: the one table that pages, instructions, responses and checkers are written from.
 * In the patterns `{name}` is the entity's name, `{subject}` its name or pronoun, `{possessive}` its or their name's genitive, `{value}` what
 * is true; a capital first letter begins a sentence.
 * May not know: pages, tasks.
 */
import type { Kind } from "./world.js";

export interface Relation {
  readonly id: string;
  /** What the value is of the entity, as in "the {noun} of …". */
  readonly noun: string;
  readonly ask: readonly string[];
  readonly tell: readonly string[];
  /** Yes or no; `{value}` is the one asked about. */
  readonly verify: string;
}

export const RELATIONS: Readonly<Record<Kind, readonly Relation[]>> = {
  person: [
    {
      id: "job",
      noun: "job",
      ask: ["What does {name} do for a living?", "What is the job of {name}?", "What work does {name} do?"],
      tell: ["{Subject} works as {a value}.", "{Subject} is {a value}.", "{Subject} earns a living as {a value}."],
      verify: "Is {name} {a value}?",
    },
    {
      id: "home",
      noun: "home",
      ask: ["Where does {name} live?", "In which town does {name} live?", "Where is the home of {name}?"],
      tell: ["{Subject} lives in {value}.", "{Possessive} home is in {value}.", "{Subject} has a house in {value}."],
      verify: "Does {name} live in {value}?",
    },
    {
      id: "hobby",
      noun: "hobby",
      ask: ["What does {name} like to do?", "What is the hobby of {name}?", "How does {name} spend the evenings?"],
      tell: ["{Subject} likes {value}.", "{Possessive} hobby is {value}.", "In the evenings {subject} enjoys {value}."],
      verify: "Does {name} like {value}?",
    },
    {
      id: "pet",
      noun: "pet",
      ask: ["Which animal does {name} keep?", "What pet does {name} have?"],
      tell: ["{Subject} keeps {a value}.", "{Subject} has {a value}.", "{Possessive} pet is {a value}."],
      verify: "Does {name} keep {a value}?",
    },
    {
      id: "dish",
      noun: "favourite dish",
      ask: ["What does {name} like to eat?", "What is the favourite dish of {name}?"],
      tell: ["{Possessive} favourite dish is {value}.", "{Subject} likes to eat {value}."],
      verify: "Does {name} like to eat {value}?",
    },
    {
      id: "friend",
      noun: "best friend",
      ask: ["Who is the best friend of {name}?", "Who is a friend of {name}?"],
      tell: ["{Possessive} best friend is {value}.", "{Subject} is a friend of {value}."],
      verify: "Is {value} the best friend of {name}?",
    },
    {
      id: "age",
      noun: "age",
      ask: ["How old is {name}?", "What is the age of {name}?"],
      tell: ["{Subject} is {value} years old."],
      verify: "Is {name} {value} years old?",
    },
  ],
  town: [
    {
      id: "region",
      noun: "region",
      ask: ["Where is {name}?", "In which region is {name}?", "Where does {name} lie?"],
      tell: [
        "{Subject} is a town in {value}.",
        "{Subject} lies in {value}.",
        "{Subject} belongs to the region of {value}.",
      ],
      verify: "Is {name} in {value}?",
    },
    {
      id: "river",
      noun: "river",
      ask: ["Which river runs through {name}?", "On which river does {name} lie?"],
      tell: ["The river {value} runs through {name}.", "{Subject} stands on the river {value}."],
      verify: "Does the river {value} run through {name}?",
    },
    {
      id: "product",
      noun: "best-known product",
      ask: ["What is {name} known for?", "What do people buy in {name}?", "What is made in {name}?"],
      tell: [
        "{Subject} is known for its {value}.",
        "People come to {name} to buy {value}.",
        "{Subject} sells {value} to everybody.",
      ],
      verify: "Is {name} known for its {value}?",
    },
    {
      id: "landmark",
      noun: "landmark",
      ask: ["What can a visitor see in {name}?", "What is the landmark of {name}?"],
      tell: [
        "Visitors come to see the {value}.",
        "In its middle stands the {value}.",
        "{Possessive} landmark is the {value}.",
      ],
      verify: "Does {name} have a {value}?",
    },
    {
      id: "mayor",
      noun: "mayor",
      ask: ["Who is the mayor of {name}?", "Who governs {name}?"],
      tell: ["{Possessive} mayor is {value}.", "{Subject} is governed by {value}."],
      verify: "Is {value} the mayor of {name}?",
    },
    {
      id: "founded",
      noun: "year of foundation",
      ask: ["When was {name} founded?", "In which year was {name} founded?"],
      tell: ["{Subject} was founded in the year {value}.", "Its first stones were laid in {value}."],
      verify: "Was {name} founded in {value}?",
    },
  ],
  animal: [
    {
      id: "creature",
      noun: "kind",
      ask: ["What is {name}?", "What kind of animal is {name}?"],
      tell: ["{Subject} is a kind of {value}.", "{Subject} belongs to the {value} family."],
      verify: "Is {name} a kind of {value}?",
    },
    {
      id: "colour",
      noun: "colour",
      ask: ["Which colour is {name}?", "What colour does {name} have?"],
      tell: ["{Subject} is {value}.", "{Possessive} colour is {value}."],
      verify: "Is {name} {value}?",
    },
    {
      id: "food",
      noun: "food",
      ask: ["What does {name} eat?", "What does {name} feed on?"],
      tell: ["{Subject} eats {value}.", "{Subject} feeds on {value}.", "{Possessive} food is {value}."],
      verify: "Does {name} eat {value}?",
    },
    {
      id: "home",
      noun: "home",
      ask: ["Where does {name} live?", "Where can one find {name}?"],
      tell: ["{Subject} lives {value}.", "{Subject} is found {value}."],
      verify: "Does {name} live {value}?",
    },
    {
      id: "habit",
      noun: "habit",
      ask: ["What is special about {name}?", "What does {name} do that others do not?"],
      tell: ["{Subject} {value}.", "It is known that {subject} {value}."],
      verify: "Is it true that {name} {value}?",
    },
    {
      id: "size",
      noun: "size",
      ask: ["How big is {name}?", "What size is {name}?"],
      tell: ["{Subject} is {value}.", "Grown up, {subject} is {value}."],
      verify: "Is {name} {value}?",
    },
    {
      id: "region",
      noun: "region",
      ask: ["In which region is {name} seen?", "Which region does {name} come from?"],
      tell: ["{Subject} is seen in {value}.", "{Subject} comes from {value}."],
      verify: "Is {name} seen in {value}?",
    },
  ],
  dish: [
    {
      id: "ingredient",
      noun: "main ingredient",
      ask: ["What is {name} made of?", "What is the main ingredient of {name}?"],
      tell: ["{Subject} is made of {value}.", "{Possessive} main ingredient is {value}."],
      verify: "Is {name} made of {value}?",
    },
    {
      id: "seasoning",
      noun: "seasoning",
      ask: ["What is {name} seasoned with?", "What gives {name} its flavour?"],
      tell: ["{Subject} is seasoned with {value}.", "{Value} gives it its flavour."],
      verify: "Is {name} seasoned with {value}?",
    },
    {
      id: "method",
      noun: "way of cooking",
      ask: ["How is {name} cooked?", "How is {name} prepared?"],
      tell: ["{Subject} is {value}.", "Cooks say that it must be {value}."],
      verify: "Is {name} {value}?",
    },
    {
      id: "taste",
      noun: "taste",
      ask: ["How does {name} taste?", "What is the taste of {name}?"],
      tell: ["{Subject} tastes {value}.", "{Possessive} taste is {value}."],
      verify: "Does {name} taste {value}?",
    },
    {
      id: "origin",
      noun: "origin",
      ask: ["Where does {name} come from?", "Which town does {name} come from?"],
      tell: ["{Subject} comes from {value}.", "{Subject} was first cooked in {value}."],
      verify: "Does {name} come from {value}?",
    },
    {
      id: "minutes",
      noun: "time on the fire",
      ask: ["How long does {name} take?", "For how many minutes is {name} cooked?"],
      tell: ["{Subject} takes {value} minutes.", "After {value} minutes it is ready."],
      verify: "Does {name} take {value} minutes?",
    },
  ],
  tool: [
    {
      id: "purpose",
      noun: "use",
      ask: ["What is {name} used for?", "What can one do with {name}?"],
      tell: ["{Subject} is used to {value}.", "With {subject} one can {value}."],
      verify: "Is {name} used to {value}?",
    },
    {
      id: "material",
      noun: "material",
      ask: ["What is {name} made of?", "Which material is {name} made of?"],
      tell: ["{Subject} is made of {value}.", "{Possessive} material is {value}."],
      verify: "Is {name} made of {value}?",
    },
    {
      id: "worker",
      noun: "user",
      ask: ["Who uses {name}?", "Who needs {name}?"],
      tell: ["{Subject} is the tool of the {value}.", "Every {value} has one.", "{Subject} is used by the {value}."],
      verify: "Is {name} the tool of the {value}?",
    },
    {
      id: "price",
      noun: "price",
      ask: ["What does {name} cost?", "How many coins does {name} cost?"],
      tell: ["{Subject} costs {value} coins.", "One pays {value} coins for it."],
      verify: "Does {name} cost {value} coins?",
    },
  ],
  book: [
    {
      id: "author",
      noun: "author",
      ask: ["Who wrote {name}?", "Who is the author of {name}?"],
      tell: ["{Subject} was written by {value}.", "{Possessive} author is {value}."],
      verify: "Did {value} write {name}?",
    },
    {
      id: "genre",
      noun: "genre",
      ask: ["What kind of book is {name}?", "What is the genre of {name}?"],
      tell: ["{Subject} is {a value}.", "Readers know it as {a value}."],
      verify: "Is {name} {a value}?",
    },
    {
      id: "subject",
      noun: "subject",
      ask: ["What is {name} about?", "What is the subject of {name}?"],
      tell: ["{Subject} is about {value}.", "{Subject} tells of {value}."],
      verify: "Is {name} about {value}?",
    },
    {
      id: "year",
      noun: "year",
      ask: ["When did {name} appear?", "In which year was {name} printed?"],
      tell: ["{Subject} appeared in {value}.", "{Subject} was printed in the year {value}."],
      verify: "Did {name} appear in {value}?",
    },
    {
      id: "chapters",
      noun: "length",
      ask: ["How many chapters does {name} have?", "How long is {name}?"],
      tell: ["{Subject} has {value} chapters."],
      verify: "Does {name} have {value} chapters?",
    },
  ],
};
