// What a refusal says beside its reason: which field, which question, which grade.
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { ConnectError } from "@connectrpc/connect";

/** The metadata of the contract's ErrorInfo, field 3, a map of texts. */
export function detailsOf(error: unknown): Record<string, string> {
  const info = ConnectError.from(error).details.find((one) => "type" in one && one.type === "google.rpc.ErrorInfo");
  if (!info || !("value" in info) || !(info.value instanceof Uint8Array)) return {};
  const found: Record<string, string> = {};
  const reader = new BinaryReader(info.value);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 3) {
      const [key, value] = entry(reader.bytes());
      found[key] = value;
    } else reader.skip(type, field);
  }
  return found;
}

function entry(bytes: Uint8Array): [string, string] {
  const pair: [string, string] = ["", ""];
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1 || field === 2) pair[field - 1] = reader.string();
    else reader.skip(type, field);
  }
  return pair;
}
