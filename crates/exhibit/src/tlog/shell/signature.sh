# Did this key sign the checkpoint? Usage: bash signature.sh PROOF-OR-CHECKPOINT VKEY     (needs bash, xxd, the coreutils, OpenSSL 3)
# VKEY is name+id+base64 and must come from elsewhere than the package: the log's, or a witness's.
set -euf; export LC_ALL=C; t=$(mktemp -d); trap 'rm -r "$t"' EXIT
fail() { echo "NOT PROVED: $1"; exit 1; }
name=${2%%+*}; id=${2#*+}; key=$(printf %s "${id#*+}" | base64 -d | xxd -p -c 64); id=${id%%+*}
[[ ${#key} == 66 ]] || fail "not an Ed25519 key"
[[ $(head -n 1 -- "$1") == c2sp.org/tlog-proof@v1 ]] && skip='1,/^$/d' || skip=
sed "$skip" "$1" > "$t/note"; sed '/^$/,$d' "$t/note" > "$t/text"; sig=
while IFS=' ' read -r dash who blob; do
  blob=$(printf %s "$blob" | base64 -d 2> "$t/bad" | xxd -p -c 200)
  if [[ $dash == — && $who == "$name" && ${blob:0:8} == "$id" ]]; then sig=${blob:8}; fi
done < <(sed '1,/^$/d' "$t/note")
[[ $sig ]] || fail "no signature of that key"
case ${key:0:2} in
  01) cp "$t/text" "$t/message"; at= ;;
  04) at=$((16#${sig:0:16})); sig=${sig:16}; { printf 'cosignature/v1\ntime %s\n' "$at"; cat "$t/text"; } > "$t/message" ;;
  *) fail "a kind of key that is not known here" ;;
esac
printf '302a300506032b6570032100%s' "${key:2}" | xxd -r -p > "$t/key"; printf %s "$sig" | xxd -r -p > "$t/sig"
openssl pkeyutl -verify -pubin -keyform DER -inkey "$t/key" -rawin -in "$t/message" -sigfile "$t/sig" > "$t/said" 2>&1 || fail "the signature is false"
echo "PROVED: signed by $name${at:+ at $(date -u -d "@$at" +%Y-%m-%dT%H:%M:%SZ)}"
