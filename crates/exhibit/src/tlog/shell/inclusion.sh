# Is this entry in the log? Usage: bash inclusion.sh ENTRY PROOF     (needs bash, xxd, and the coreutils)
set -euf; export LC_ALL=C
fail() { echo "NOT PROVED: $1"; exit 1; }
number='^(0|[1-9][0-9]{0,17})$'
[[ $(head -n 1 -- "$2") == c2sp.org/tlog-proof@v1 ]] || fail "not a tlog-proof"
index=$(sed -n '1,/^$/s/^index //p' "$2"); path=$(sed '1,/^index /d;/^$/,$d' "$2")
{ read -r origin && read -r size && read -r root; } < <(sed '1,/^$/d' "$2") || fail "no checkpoint"
[[ $index =~ $number && $size =~ $number ]] && ((index < size)) || fail "no such index"
hash() { xxd -r -p | sha256sum | cut -c 1-64; }
h=$({ printf '\0'; cat -- "$1"; } | sha256sum | cut -c 1-64); i=$index; n=$((size - 1))
for p in $path; do
  p=$(printf %s "$p" | base64 -d | xxd -p -c 64); ((n > 0 && ${#p} == 64)) || fail "the path has a wrong length"
  if ((i & 1 || i == n)); then
    h=$(printf '01%s%s' "$p" "$h" | hash); while ((i > 0 && !(i & 1))); do i=$((i >> 1)); n=$((n >> 1)); done
  else
    h=$(printf '01%s%s' "$h" "$p" | hash)
  fi
  i=$((i >> 1)); n=$((n >> 1))
done
[[ $n == 0 && $h == "$(printf %s "$root" | base64 -d | xxd -p -c 64)" ]] || fail "the path does not lead to the root"
printf 'PROVED: entry %s of the %s that the checkpoint of %q covers\n' "$index" "$size" "$origin"
