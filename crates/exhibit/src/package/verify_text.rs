//! The commands that check a package with standard tools. A test runs them as written, so they stay true.
//!
//! What is indented is meant to be pasted. Nothing is written into the package: it would no longer verify.

use chrono::{DateTime, Utc};

/// What the text tells of.
pub struct Facts<'a> {
    /// The exhibit's reference.
    pub reference: &'a str,
    /// When the signer says it signed.
    pub signing_time: DateTime<Utc>,
    /// When the timestamp says that the signature was there.
    pub stamped_at: Option<DateTime<Utc>>,
    /// Whether there is a proof of inclusion.
    pub logged: bool,
}

/// A step: its title and what to do.
pub type Section = (String, String);

pub fn text(facts: &Facts<'_>) -> String {
    let mut sections = signed(facts);
    sections.extend(later(facts, sections.len()));
    format!("HOW TO VERIFY EXHIBIT {}\n\n{INTRODUCTION}\n{}{NOT_PROVED}", facts.reference, numbered(&sections))
}

pub fn numbered(sections: &[Section]) -> String {
    let one = |(n, (title, body)): (usize, &Section)| format!("{}. {title}\n\n{body}\n", n + 1);
    sections.iter().enumerate().map(one).collect()
}

/// A step of these words.
pub fn section(title: &str, body: &str) -> Section {
    (title.to_owned(), body.to_owned())
}

/// The files, and the signature over them.
pub fn signed(facts: &Facts<'_>) -> Vec<Section> {
    vec![
        section("Every file is as listed (prints OK for each)", FILES),
        section("Nothing was added: these two commands must print the same list", NOTHING_ADDED),
        as_signed("The list", facts),
    ]
}

/// The signature over `what`.
pub fn as_signed(what: &str, facts: &Facts<'_>) -> Section {
    let title = format!("{what} is as signed, by whom your roots vouch for (prints \"CAdES Verification successful\")");
    (title, signature(facts))
}

/// The timestamp over the signature.
pub fn stamp(at: DateTime<Utc>) -> Section {
    ("The signature was there at the time of the timestamp (prints \"Verification: OK\")".to_owned(), timestamp(at))
}

/// What came after the signature. `before` steps come before these.
pub fn later(facts: &Facts<'_>, before: usize) -> Vec<Section> {
    let mut sections = vec![match facts.stamped_at {
        Some(at) => stamp(at),
        None => section(
            "When it was signed",
            "There is no timestamp in this package: the signing time is the signer's own word.\n",
        ),
    }];
    if !facts.logged {
        sections.push(section("That it is in a log", "There is no proof of that in this package.\n"));
        return sections;
    }
    let tsr = if facts.stamped_at.is_some() { "$(sha256sum < proof/seal.tsr | cut -c-64)" } else { "-" };
    let last = before + 5;
    sections.extend([
        section(
            "The log's entry names this exhibit, this signature and this timestamp (prints \"entry OK\")",
            &entry(tsr),
        ),
        section("The entry is in the log (prints \"inclusion OK\")", INCLUSION),
        section("The log signed for that (prints \"Signature Verified Successfully\")", LOG_SIGNATURE),
        section(
            "A witness saw the log at that size (prints its time and \"Signature Verified Successfully\")",
            &format!(
                "{WITNESS}\nSteps {} and {last} put a few files into a folder of their own under /tmp; nothing is written here.\n",
                last - 1
            ),
        ),
    ]);
    sections
}

pub const INTRODUCTION: &str = "\
Open a terminal (bash) in the folder that holds `bag` and `proof`, and paste the indented lines. You need the usual tools of any
Linux (sha256sum, base64, sed, find) and `openssl` 3. No network is used. And you need what must NOT come from this package, for
whoever could replace the package could replace anything inside it, this text and the .pem files included. The force publishes it;
put it BESIDE this folder, not inside:

../roots.pem         trust roots for signatures
../tsa-roots.pem     trust roots for timestamps
../log.vkey          the log's key, one line
../witness.vkey      a witness's key, one line

If you lack one, leave out the step that needs it: then that is not proved. If a step prints anything but what it says, or an error,
stop: this is not what was sealed.
";

const FILES: &str = "    (cd bag && sha256sum --strict -c tagmanifest-sha256.txt manifest-sha256.txt)
    sha256sum --strict -c proof/checksums-sha256.txt
";

const NOTHING_ADDED: &str = "    (cd bag && find . ! -type d ! -name tagmanifest-sha256.txt | LC_ALL=C sort)
    (cd bag && cat tagmanifest-sha256.txt manifest-sha256.txt | cut -c67- | sed 's,^,./,' | LC_ALL=C sort)
";

fn signature(facts: &Facts<'_>) -> String {
    let at = facts.stamped_at.unwrap_or(facts.signing_time);
    let which = match facts.stamped_at {
        Some(_) => "the time of its timestamp",
        None => "the signing time that the signature states",
    };
    format!(
        "    openssl cms -verify -binary -cades -inform DER -in proof/seal.p7s -content bag/tagmanifest-sha256.txt -CAfile ../roots.pem \
         -attime {} -out /dev/null\n\n\
         -attime is {which}, {}: certificates expire, what they signed does not. Look at the signer's name:\n\n    \
         openssl pkcs7 -inform DER -in proof/seal.p7s -print_certs -noout\n",
        at.timestamp(),
        spelled(at),
    )
}

fn timestamp(at: DateTime<Utc>) -> String {
    format!(
        "    openssl ts -verify -data proof/seal.p7s -in proof/seal.tsr -CAfile ../tsa-roots.pem -attime {}\n\n\
         The time itself, to be compared with {} (look for \"Time stamp\"):\n\n    \
         openssl ts -reply -in proof/seal.tsr -text\n",
        at.timestamp(),
        spelled(at),
    )
}

fn spelled(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn entry(tsr: &str) -> String {
    format!(
        "    exhibit=$(sed -n 's/^Internal-Sender-Identifier: //p' bag/bag-info.txt)\n    \
         made=$(printf 'alcove seal v1\\n%s\\n%s\\n%s\\n' \"$exhibit\" \"$(sha256sum < proof/seal.p7s | cut -c-64)\" \"{tsr}\")\n    \
         [ \"$made\" = \"$(cat proof/log-entry.txt)\" ] && echo entry OK\n"
    )
}

/// RFC 9162 section 2.1.3.2, hashes in base64 as the proof has them. Numbers are looked at before the shell reckons with them.
const INCLUSION: &str = "    inclusion() {  # the entry's file, the proof's file
      hash() { openssl dgst -sha256 -binary | base64; }
      raw() { printf %s \"$1\" | base64 -d; }
      mapfile -t l < \"$2\"; [ \"${l[0]}\" = c2sp.org/tlog-proof@v1 ] || return 1; f=${l[1]#index }; n=2
      while [ -n \"${l[n]}\" ]; do n=$((n + 1)); done
      s=${l[n+2]}; [[ $f =~ ^(0|[1-9][0-9]*)$ && $s =~ ^[1-9][0-9]*$ ]] || return 1
      s=$((s - 1)); [ \"$f\" -le \"$s\" ] || return 1
      r=$({ printf '\\0'; cat \"$1\"; } | hash)
      for p in \"${l[@]:2:n-2}\"; do
        [ $s -gt 0 ] || return 1
        if [ $((f % 2)) = 1 ] || [ $f = $s ]; then
          r=$({ printf '\\1'; raw \"$p\"; raw \"$r\"; } | hash)
          while [ $((f % 2)) = 0 ] && [ $f -gt 0 ]; do f=$((f / 2)); s=$((s / 2)); done
        else
          r=$({ printf '\\1'; raw \"$r\"; raw \"$p\"; } | hash)
        fi
        f=$((f / 2)); s=$((s / 2))
      done
      [ $s = 0 ] && [ \"$r\" = \"${l[n+3]}\" ] && echo \"inclusion OK: ${l[n+1]}, ${l[n+2]} entries\"
    }
    inclusion proof/log-entry.txt proof/seal.tlog-proof
";

/// The key as OpenSSL reads it is RFC 8410's twelve bytes and the 32 of the key. A signature comes after four bytes of key id.
const LOG_SIGNATURE: &str = "    made=$(mktemp -d)
    public() {  # a key's file: the key as OpenSSL reads it
      v=$(cat \"$1\"); v=${v#*+}
      printf '\\x30\\x2a\\x30\\x05\\x06\\x03\\x2b\\x65\\x70\\x03\\x21\\x00'; printf %s \"${v#*+}\" | base64 -d | tail -c 32
    }
    signed() {  # a key's file: that key's signature under the checkpoint
      v=$(cat \"$1\"); name=${v%%+*}; v=${v#*+}; id=${v%%+*}
      sed '1,/^$/d' proof/seal.tlog-proof | sed '1,/^$/d' | while read -r dash who blob; do
        its=$(printf %s \"$blob\" | base64 -d | head -c 4 | od -A n -t x1 | tr -d ' ')
        if [ \"$who $its\" = \"$name $id\" ]; then printf %s \"$blob\" | base64 -d; fi
      done
    }
    sed '1,/^$/d' proof/seal.tlog-proof | sed '/^$/,$d' > \"$made/checkpoint\"
    [ \"$(head -n 1 \"$made/checkpoint\")\" = \"$(cut -d+ -f1 ../log.vkey)\" ] || echo THIS IS ANOTHER LOG
    public ../log.vkey > \"$made/log.der\"
    signed ../log.vkey | tail -c 64 > \"$made/log.sig\"
    openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey \"$made/log.der\" -in \"$made/checkpoint\" -sigfile \"$made/log.sig\"
";

/// C2SP tlog-cosignature: what is signed has a time before the checkpoint, and the signature has it in its first eight bytes.
const WITNESS: &str = "    public ../witness.vkey > \"$made/witness.der\"
    signed ../witness.vkey > \"$made/cosignature\"
    tail -c 64 \"$made/cosignature\" > \"$made/witness.sig\"
    at=$(od -A n -t u8 --endian=big -j 4 -N 8 \"$made/cosignature\" | tr -d ' ')
    { printf 'cosignature/v1\\ntime %s\\n' \"$at\"; cat \"$made/checkpoint\"; } > \"$made/cosigned\"
    date -u -d \"@$at\"
    openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey \"$made/witness.der\" -in \"$made/cosigned\" -sigfile \"$made/witness.sig\"
";

pub const NOT_PROVED: &str = "
Any BagIt (RFC 8493) validator will also check the folder `bag`. `alcove-verify` does all of this at once, also checks each second of
the recordings against the chain in `bag/data/segments`, whose head is in `bag/data/manifest.json`, and says in plain words what it
proved. The folder `access`, where there is one, came after the seal: `alcove-verify` checks it too.

What this does not prove: whether certificates had been revoked; what happened before the recording reached the recorder. The files in
`proof` other than signature, timestamp and log proof are not signed: `checksums-sha256.txt` only guards against accidents.
";
