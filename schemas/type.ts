/**
 * What schemas are made of: the few of TypeBox's types that the protocol and the configuration use.
 * To be imported as `Type`. TypeBox's own `Type` brings all of its others, which no start needs.
 */
export {
  Array,
  Boolean,
  Integer,
  Literal,
  Never,
  Null,
  Number,
  Object,
  Optional,
  Record,
  String,
  Tuple,
  Union,
  Unknown,
  Unsafe,
} from "@sinclair/typebox";
