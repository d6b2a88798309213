//! What stands in the index, section by section, and in which words.

use chrono::{DateTime, Utc};
use chrono_tz::Europe::London;

use super::{
    Grade, Index, Item, State,
    block::{Block, Cell},
    fonts::Fonts,
};

/// The index from top to bottom, in characters that can be printed.
pub(super) fn blocks(fonts: &Fonts, index: &Index) -> Vec<Block> {
    let sections = [
        head(index),
        checklist(index),
        exhibits(index),
        people(index),
        risk(index.grade.as_ref()),
        referrals(index),
        clocks(index),
        statements(index),
        list(
            "Disclosure schedule",
            "Material, and how it is to be handled",
            &index.schedule,
            "No schedule has been saved.",
        ),
        list("Sealed addenda", "The package as it was sealed", &index.sealed, "The package has not been sealed."),
    ];
    let mut blocks: Vec<_> = sections.into_iter().flatten().map(|block| written(fonts, block)).collect();
    if fonts.has_named() {
        let named = "Characters that no typeface here has, or that can't be seen, stand as their Unicode numbers, such as [U+2603].";
        // Behind the head, before the first that may have one.
        blocks.insert(2, Block::Paragraph(named.to_owned()));
    }
    blocks
}

fn written(fonts: &Fonts, block: Block) -> Block {
    let cell = |cell: Cell| Cell { text: fonts.written(&cell.text), style: cell.style };
    match block {
        Block::Title(text) => Block::Title(fonts.written(&text)),
        Block::Heading(text) => Block::Heading(fonts.written(&text)),
        Block::Paragraph(text) => Block::Paragraph(fonts.written(&text)),
        Block::Facts(facts) => Block::Facts(facts.into_iter().map(|(label, value)| (label, cell(value))).collect()),
        Block::Table { columns, rows } => {
            let row = |row: Vec<Cell>| row.into_iter().map(cell).collect();
            Block::Table { columns, rows: rows.into_iter().map(row).collect() }
        }
    }
}

fn head(index: &Index) -> Vec<Block> {
    let seal = if index.seal.is_empty() { Cell::from("Not sealed yet") } else { Cell::mono(in_fours(&index.seal)) };
    let facts = vec![
        ("Force", Cell::from(index.force.as_str())),
        ("Incident", Cell::bold(&index.incident)),
        ("Call", Cell::from(index.call.as_str())),
        ("Exhibit", Cell::from(if index.exhibit.is_empty() { "None" } else { &index.exhibit })),
        ("SHA-256 of its seal", seal),
        ("Package", Cell::from(index.package.as_str())),
        ("Opened", Cell::from(moment(index.opened_at))),
        ("Printed", Cell::from(format!("{}, by {}", moment(index.printed_at), index.printed_by))),
    ];
    vec![Block::Title("Evidential package: index".to_owned()), Block::Facts(facts)]
}

fn checklist(index: &Index) -> Vec<Block> {
    let row = |item: &Item| {
        let state = match item.state {
            State::Missing if item.required => Cell::bold("Missing"),
            State::Missing => Cell::from("Missing"),
            State::Present => Cell::from("Present"),
            State::NotApplicable => Cell::from("Not applicable"),
        };
        let required = if item.required { "Yes" } else { "No" };
        vec![item.title.as_str().into(), required.into(), state, item.evidence.as_str().into()]
    };
    let missing = index.checklist.iter().filter(|item| item.required && item.state == State::Missing).count();
    let score = match missing {
        0 => format!("Score: {} %. No required item is missing.", index.score_percent),
        1 => format!("Score: {} % of the required items. 1 is missing.", index.score_percent),
        more => format!("Score: {} % of the required items. {more} are missing.", index.score_percent),
    };
    let columns = vec![("Item", 36), ("Required", 11), ("State", 15), ("What fills it", 38)];
    let mut blocks = table("Checklist", columns, index.checklist.iter().map(row).collect(), "The checklist is empty.");
    blocks.insert(1, Block::Paragraph(score));
    blocks
}

fn exhibits(index: &Index) -> Vec<Block> {
    let sealed = if index.seal.is_empty() { "Recording, not sealed yet" } else { "Recording, sealed" };
    let (photographs, stills): (Vec<_>, Vec<_>) =
        index.pictures.iter().partition(|name| name.starts_with("photograph-"));
    let named = |names: Vec<&String>| names.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let all = [
        (sealed, index.exhibit.clone()),
        ("Stills of the recording", named(stills)),
        ("Photographs", named(photographs)),
    ];
    let there = all.into_iter().filter(|(_, names)| !names.is_empty());
    let rows = there.map(|(what, names)| vec![what.into(), names.into()]).collect();
    table("Exhibits", vec![("What it is", 23), ("Reference, or names in it", 77)], rows, "There is no exhibit.")
}

fn people(index: &Index) -> Vec<Block> {
    let columns =
        vec![("Name", 30), ("Part", 22), ("Born", 14), ("Present", 11), ("Saw or heard", 13), ("Spoken to", 14)];
    let row = |person: &super::Person| {
        let super::Person { name, part, born, present, saw_or_heard, spoken_to } = person;
        [name, part, born, present, saw_or_heard, spoken_to].map(|text| Cell::from(text.as_str())).to_vec()
    };
    table("People", columns, index.people.iter().map(row).collect(), "Nobody has been written down.")
}

fn risk(grade: Option<&Grade>) -> Vec<Block> {
    let heading = Block::Heading("Risk".to_owned());
    let Some(grade) = grade else {
        return vec![heading, Block::Paragraph("The risk has not been graded.".to_owned())];
    };
    let mut facts = vec![
        ("Grade", Cell::bold(&grade.grade)),
        ("Going by", Cell::from(grade.because.as_str())),
        ("Why", Cell::from(grade.reason.as_str())),
        ("Graded", Cell::from(format!("{}, by {}", moment(grade.at), grade.officer))),
    ];
    if grade.is_outdated {
        facts.push(("To note", Cell::bold("More is known since: the grade has to be given anew.")));
    }
    vec![heading, Block::Facts(facts)]
}

fn referrals(index: &Index) -> Vec<Block> {
    let columns = vec![("Referral", 22), ("Partner", 19), ("Sent", 19), ("Acknowledged", 19), ("Outcome", 25)];
    let step = |step: &Option<(DateTime<Utc>, String)>| match step {
        Some((at, words)) => Cell::from(format!("{}\n{words}", short(*at))),
        None => Cell::from(""),
    };
    let row = |one: &super::Referral| {
        let sent = if one.sent.is_none() && one.outcome.is_none() { Cell::from("Draft") } else { step(&one.sent) };
        let (acknowledged, outcome) = (step(&one.acknowledged), step(&one.outcome));
        vec![one.kind.as_str().into(), one.partner.as_str().into(), sent, acknowledged, outcome]
    };
    table("Referrals", columns, index.referrals.iter().map(row).collect(), "None has been drafted.")
}

fn clocks(index: &Index) -> Vec<Block> {
    let row = |clock: &super::Clock| {
        vec![clock.title.as_str().into(), short(clock.due_at).into(), clock.state.as_str().into()]
    };
    let columns = vec![("What is to be done", 55), ("Due", 20), ("State", 25)];
    table("Clocks", columns, index.clocks.iter().map(row).collect(), "None has begun.")
}

fn statements(index: &Index) -> Vec<Block> {
    let row = |one: &super::Statement| {
        let declared = if one.declared { "Yes" } else { "No" };
        vec![one.version.to_string().into(), one.officer.as_str().into(), short(one.at).into(), declared.into()]
    };
    let columns = vec![("Version", 12), ("Officer", 40), ("Saved", 28), ("Declared to be true", 20)];
    table("Officer's statement", columns, index.statements.iter().map(row).collect(), "None has been saved.")
}

fn list(heading: &str, column: &'static str, lines: &[String], none: &str) -> Vec<Block> {
    let row = |(n, line): (usize, &String)| vec![(n + 1).to_string().into(), line.as_str().into()];
    table(heading, vec![("No.", 6), (column, 94)], lines.iter().enumerate().map(row).collect(), none)
}

/// A section of one table; of a sentence if there is nothing to put in it.
fn table(heading: &str, columns: Vec<(&'static str, u16)>, rows: Vec<Vec<Cell>>, none: &str) -> Vec<Block> {
    let body = if rows.is_empty() { Block::Paragraph(none.to_owned()) } else { Block::Table { columns, rows } };
    vec![Block::Heading(heading.to_owned()), body]
}

/// "0a1b 2c3d ...", eight groups a line.
fn in_fours(hex: &str) -> String {
    let digits: Vec<_> = hex.chars().collect();
    let line = |line: &[char]| line.chunks(4).map(String::from_iter).collect::<Vec<_>>().join(" ");
    digits.chunks(32).map(line).collect::<Vec<_>>().join("\n")
}

/// "09:14 on 24 November 2026", by the clocks in London.
fn moment(at: DateTime<Utc>) -> String {
    at.with_timezone(&London).format("%H:%M on %-d %B %Y").to_string()
}

/// "24 Nov 2026 09:14", by the clocks in London.
fn short(at: DateTime<Utc>) -> String {
    at.with_timezone(&London).format("%-d %b %Y %H:%M").to_string()
}
