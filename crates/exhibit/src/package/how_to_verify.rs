//! The commands that check a package with standard tools. A test runs them, so they stay true.

use chrono::{DateTime, Utc};

pub fn text(reference: &str, signing_time: DateTime<Utc>) -> String {
    let (unix, signed) = (signing_time.timestamp(), signing_time.format("%Y-%m-%d %H:%M:%S UTC"));
    format!(
        "HOW TO VERIFY EXHIBIT {reference}\n\n\
         Open a terminal in the folder that holds `bag` and `proof`. You need `sha256sum` and `openssl`, and one thing that must\n\
         NOT come from this package: `roots.pem`, the trust roots, which the force publishes. Whoever could replace this package\n\
         could replace anything inside it, `proof/signer.pem` and this text included.\n\n\
         1. Every file is as listed (prints OK for each):\n\n\
         (cd bag && sha256sum --strict -c tagmanifest-sha256.txt manifest-sha256.txt)\n\
         sha256sum --strict -c proof/checksums-sha256.txt\n\n\
         2. The list is as signed, and the signer's certificate leads to your trust roots (prints \"CAdES Verification successful\"):\n\n\
         openssl cms -verify -binary -cades -inform DER -in proof/seal.p7s -content bag/tagmanifest-sha256.txt -CAfile roots.pem -attime {unix} -out /dev/null\n\n\
         -attime is the signing time that the signature states, {signed}: certificates expire, what they signed does not.\n\
         Look at the signer's name:\n\n\
         openssl pkcs7 -inform DER -in proof/seal.p7s -print_certs -noout\n\n\
         3. Nothing was added: these two commands must print the same list.\n\n\
         (cd bag && find . ! -type d ! -name tagmanifest-sha256.txt | LC_ALL=C sort)\n\
         (cd bag && cat tagmanifest-sha256.txt manifest-sha256.txt | cut -c67- | sed 's,^,./,' | LC_ALL=C sort)\n\n\
         Any BagIt (RFC 8493) validator will also check the folder `bag`. `alcove-verify` does all of this at once, also checks\n\
         each second of the recordings against the chain in `bag/data/manifest.json`, and says in plain words what it proved.\n\n\
         What this does not prove: the signing time is the signer's own word. This version has no trusted timestamp and no public\n\
         log. The files in `proof` other than the signature are not signed: `checksums-sha256.txt` only guards against accidents.\n"
    )
}
