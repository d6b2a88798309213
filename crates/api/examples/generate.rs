//! Regenerates `crates/api/src/gen` from `proto/` (protox parses, so no protoc is needed).
//!
//! `cargo run -p api --example generate` writes; with `--check` it only compares, and fails on drift.

#[path = "generate/addressed.rs"]
mod addressed;

use std::{collections::BTreeMap, fs, path::Path, process::ExitCode};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let committed = root.join("crates/api/src/gen");
    let check = std::env::args().any(|arg| arg == "--check");

    let scratch = tempfile::tempdir()?;
    generate(&root.join("proto"), scratch.path())?;
    let (fresh, old) = (read_dir(scratch.path())?, read_dir(&committed)?);
    if fresh == old {
        println!("bindings are up to date");
        return Ok(ExitCode::SUCCESS);
    }
    if check {
        eprintln!("crates/api/src/gen differs from proto/: run `make bindings`");
        return Ok(ExitCode::FAILURE);
    }
    fs::create_dir_all(&committed)?;
    for name in old.keys().filter(|name| !fresh.contains_key(*name)) {
        fs::remove_file(committed.join(name))?;
    }
    for (name, bytes) in &fresh {
        fs::write(committed.join(name), bytes)?;
    }
    println!("wrote {} files to {}", fresh.len(), committed.display());
    Ok(ExitCode::SUCCESS)
}

fn generate(protos: &Path, out: &Path) -> Outcome<()> {
    let mut files = Vec::new();
    for service in ["intake", "transfer", "session", "evidence", "referral"] {
        for file in ["service", "events"] {
            files.push(format!("alcove/{service}/v1/{file}.proto"));
        }
    }
    for file in ["people", "risk", "help", "package", "disclosure"] {
        files.push(format!("alcove/referral/v1/{file}.proto"));
    }
    let descriptors = protox::Compiler::new([protos])?
        .include_source_info(true)
        .include_imports(true)
        .open_files(&files)?
        .file_descriptor_set();
    // Reflection serves the descriptors without the comments, which would double their size.
    let mut bare = descriptors.clone();
    for file in &mut bare.file {
        file.source_code_info = None;
    }
    fs::write(out.join("descriptors.bin"), prost::Message::encode_to_vec(&bare))?;
    fs::write(out.join("addressed.rs"), addressed::written(&bare))?;
    tonic_prost_build::configure()
        .out_dir(out)
        .extern_path(".google.protobuf.Timestamp", "::prost_types::Timestamp")
        // Secrets and personal data must not reach a log by way of `{:?}`.
        .skip_debug(REDACTED)
        // A second of a call is passed on as it lies in memory.
        .bytes(".alcove.evidence.v1.AppendSegmentsRequest.data")
        .compile_fds(descriptors)?;
    Ok(())
}

/// Messages with personal data, secrets or evidence in them: they get no `Debug` of prost's.
const REDACTED: [&str; 61] = [
    ".alcove.intake.v1.OpenCallRequest",
    ".alcove.intake.v1.Thrive",
    ".alcove.intake.v1.DeviceSafety",
    ".alcove.intake.v1.RecordTriageRequest",
    ".alcove.intake.v1.StartFollowUpRequest",
    ".alcove.intake.v1.Location",
    ".alcove.intake.v1.GetLocationResponse",
    ".alcove.intake.v1.GetReachResponse",
    ".alcove.intake.v1.GetComeNowWordResponse",
    ".alcove.transfer.v1.ScheduleCallbackRequest",
    ".alcove.transfer.v1.TakeCallbackResponse",
    ".alcove.session.v1.IceServer",
    ".alcove.session.v1.JoinSessionResponse",
    ".alcove.session.v1.IssueInvitationRequest",
    ".alcove.session.v1.IssueInvitationResponse",
    ".alcove.evidence.v1.AppendSegmentsRequest",
    ".alcove.evidence.v1.ExportResponse",
    ".alcove.referral.v1.Case",
    ".alcove.referral.v1.GetCaseResponse",
    ".alcove.referral.v1.WatchCaseResponse",
    ".alcove.referral.v1.Person",
    ".alcove.referral.v1.SafeContact",
    ".alcove.referral.v1.ChildDetails",
    ".alcove.referral.v1.SavePersonRequest",
    ".alcove.referral.v1.RemovePersonRequest",
    ".alcove.referral.v1.Assessment",
    ".alcove.referral.v1.Answer",
    ".alcove.referral.v1.Grading",
    ".alcove.referral.v1.SaveAssessmentRequest",
    ".alcove.referral.v1.GradeRiskRequest",
    ".alcove.referral.v1.GradeRiskResponse",
    ".alcove.referral.v1.Referral",
    ".alcove.referral.v1.Field",
    ".alcove.referral.v1.MakeReferralRequest",
    ".alcove.referral.v1.MakeReferralResponse",
    ".alcove.referral.v1.SendReferralResponse",
    ".alcove.referral.v1.WithdrawReferralRequest",
    ".alcove.referral.v1.WithdrawReferralResponse",
    ".alcove.referral.v1.AcknowledgeReferralResponse",
    ".alcove.referral.v1.RecordOutcomeRequest",
    ".alcove.referral.v1.RecordOutcomeResponse",
    ".alcove.referral.v1.SendReferralRequest",
    ".alcove.referral.v1.AcknowledgeReferralRequest",
    ".alcove.referral.v1.NotePackageItemRequest",
    ".alcove.referral.v1.DraftStatementResponse",
    ".alcove.referral.v1.SaveStatementRequest",
    ".alcove.referral.v1.Statement",
    ".alcove.referral.v1.ListStatementsResponse",
    ".alcove.referral.v1.ChecklistItem",
    ".alcove.referral.v1.Disclosure",
    ".alcove.referral.v1.DisclosureStage",
    ".alcove.referral.v1.RecordDisclosureStageRequest",
    ".alcove.referral.v1.RecordDisclosureStageResponse",
    ".alcove.referral.v1.DisclosureSchedule",
    ".alcove.referral.v1.ScheduleEntry",
    ".alcove.referral.v1.GetDisclosureScheduleResponse",
    ".alcove.referral.v1.SaveDisclosureScheduleRequest",
    ".alcove.referral.v1.SaveDisclosureScheduleResponse",
    ".alcove.referral.v1.SealPackageRequest",
    ".alcove.referral.v1.GetPackageIndexResponse",
    ".alcove.referral.v1.GetCallerNumberResponse",
];

fn read_dir(dir: &Path) -> Outcome<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    if dir.exists() {
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            files.insert(entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?);
        }
    }
    Ok(files)
}
