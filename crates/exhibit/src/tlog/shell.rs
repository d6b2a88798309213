//! The same checks as two short scripts of bash, xxd, coreutils and OpenSSL: for whoever would rather trust those. A test runs them as
//! they stand. They take hostile files: nothing from a file is evaluated (bash arithmetic would run `a[$(command)]`, so numbers
//! are matched first) or printed raw.

/// `bash inclusion.sh ENTRY PROOF`: whether the entry is in the tree of the proof's checkpoint. Says nothing of who signed that.
#[must_use]
pub fn inclusion_script() -> &'static str {
    include_str!("shell/inclusion.sh")
}

/// `bash signature.sh PROOF-OR-CHECKPOINT VKEY`: whether the log (or a witness, given its key) signed the checkpoint.
#[must_use]
pub fn signature_script() -> &'static str {
    include_str!("shell/signature.sh")
}
