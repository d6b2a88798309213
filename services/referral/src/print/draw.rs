//! Pages as a PDF that keeps (PDF/A-2a) and can be read aloud (PDF/UA-1): krilla refuses to write one that can't. The same pages give
//! the same bytes.

use std::num::NonZeroU16;

use chrono::{DateTime, Datelike, Timelike, Utc};
use krilla::{
    Document, SerializeSettings,
    color::luma,
    configure::{Accessibility, Archival, ConfigurationBuilder},
    destination::XyzDestination,
    geom::{PathBuilder, Point, Rect},
    metadata::{DateTime as PdfTime, Metadata},
    num::NormalizedF32,
    outline::{Outline, OutlineNode},
    page::PageSettings,
    paint::{Fill, FillRule},
    surface::Surface,
    tagging::{
        Artifact, ArtifactType, ContentTag, Node as TagNode, SpanTag, TableHeaderScope, Tag, TagGroup, TagKind, TagTree,
    },
};

use super::{
    Error,
    fonts::Fonts,
    layout::{AREA, Ink, Kind, Laid, Of, PAGE, Piece},
    text::{Line, Run},
};

/// What is said of the document itself.
pub struct About<'a> {
    /// Its title.
    pub title: &'a str,
    /// What tells it from others.
    pub id: &'a str,
    /// When it was printed.
    pub at: DateTime<Utc>,
}

/// Draws pages.
///
/// # Errors
/// It can't be a PDF of that kind.
pub fn draw(fonts: &Fonts, laid: &Laid, about: &About<'_>) -> Result<Vec<u8>, Error> {
    let kinds = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_A)
        .with_accessibility_validator(Accessibility::UA1);
    let configuration = kinds.finish().map_err(|error| Error(format!("{error:?}")))?;
    let mut document = Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    let mut tagged: Vec<Vec<TagNode>> = laid.nodes.iter().map(|_| vec![]).collect();
    for pieces in &laid.pages {
        let settings = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or_else(|| Error("no page is of that size".into()))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for piece in pieces {
            match piece {
                Piece::Text { x, baseline, size, ink, line, of } => {
                    surface.set_fill(Some(fill(*ink)));
                    let ids = text(&mut surface, fonts, line, (*x, *baseline, *size), *of);
                    if let Of::Node(node) = of {
                        tagged[*node].extend(ids);
                    }
                }
                Piece::Rule { y, thick, ink } => rule(&mut surface, *y, *thick, *ink),
            }
        }
        surface.finish();
        page.finish();
    }
    let mut outline = Outline::new();
    for (title, page, y) in &laid.headings {
        outline.push_child(OutlineNode::new(title.clone(), XyzDestination::new(*page, Point::from_xy(0.0, *y))));
    }
    document.set_outline(outline);
    document.set_tag_tree(tree(laid, tagged));
    let metadata =
        Metadata::new().title(about.title.to_owned()).language("en-GB".to_owned()).document_id(about.id.to_owned());
    document.set_metadata(metadata.creator("Alcove".to_owned()).creation_date(time(about.at)));
    document.finish().map_err(|error| Error(reason(&error)))
}

/// What krilla says against it, without a word of the document.
fn reason(error: &krilla::error::KrillaError) -> String {
    let text = format!("{error:?}");
    text.split(['(', '{']).next().unwrap_or_default().trim().to_owned()
}

fn fill(ink: Ink) -> Fill {
    let shade = match ink {
        Ink::Black => 20,
        Ink::Grey => 90,
        Ink::Pale => 185,
    };
    Fill { paint: luma::Color::new(shade).into(), opacity: NormalizedF32::ONE, rule: FillRule::NonZero }
}

/// A line of text, in the order in which it is read. Of what is read from the right the letters are drawn from the left, so for who
/// has it read to them it is said once more.
fn text(surface: &mut Surface<'_>, fonts: &Fonts, line: &Line, (x, y, size): (f32, f32, f32), of: Of) -> Vec<TagNode> {
    let mut at = x;
    let mut ids = vec![];
    for run in &line.runs {
        let tag = match of {
            Of::Node(_) => ContentTag::Span(SpanTag::empty()),
            Of::Page => ContentTag::Artifact(Artifact::with_kind(ArtifactType::PaginationOther)),
        };
        let id = surface.start_tagged(tag);
        let span = || TagGroup::with_children(Tag::Span.with_actual_text(Some(run.text.clone())), vec![id.into()]);
        ids.push((run.start, if run.is_rtl { TagNode::Group(span()) } else { id.into() }));
        glyphs(surface, fonts, run, (at, y, size));
        surface.end_tagged();
        at += run.width;
    }
    ids.sort_by_key(|(start, _)| *start);
    ids.into_iter().map(|(_, id)| id).collect()
}

fn glyphs(surface: &mut Surface<'_>, fonts: &Fonts, run: &Run, (x, y, size): (f32, f32, f32)) {
    if let Some(font) = fonts.font(run.font) {
        surface.draw_glyphs(Point::from_xy(x, y), &run.glyphs, font.clone(), &run.text, size, false);
    }
}

fn rule(surface: &mut Surface<'_>, y: f32, thick: f32, ink: Ink) {
    let mut path = PathBuilder::new();
    if let Some(rect) = Rect::from_ltrb(AREA.0, y - thick / 2.0, AREA.2, y + thick / 2.0) {
        path.push_rect(rect);
    }
    let Some(path) = path.finish() else { return };
    surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)));
    surface.set_fill(Some(fill(ink)));
    surface.draw_path(&path);
    surface.end_tagged();
}

/// The document's structure, with what was drawn of each node.
fn tree(laid: &Laid, tagged: Vec<Vec<TagNode>>) -> TagTree {
    let group = |(n, ids): (usize, Vec<TagNode>)| {
        let mut group = TagGroup::new(kind(laid, n));
        ids.into_iter().for_each(|id| group.push(id));
        group
    };
    let mut groups: Vec<_> = tagged.into_iter().enumerate().map(group).collect();
    let mut tree = TagTree::new().with_lang(Some("en-GB".to_owned()));
    let mut roots = vec![];
    // A node is behind the one that it is in, so from the end each is whole when it is put there.
    while let Some(group) = groups.pop() {
        match laid.nodes[groups.len()].parent {
            Some(parent) => groups[parent].children.insert(0, TagNode::Group(group)),
            None => roots.push(group),
        }
    }
    roots.into_iter().rev().for_each(|root| tree.push(root));
    tree
}

fn kind(laid: &Laid, node: usize) -> TagKind {
    let heading = |level, text: &str| Tag::Hn(NonZeroU16::MIN.saturating_add(level), Some(text.to_owned())).into();
    match laid.nodes[node].kind {
        Kind::Title => heading(0, &said(laid, node)),
        Kind::Heading => heading(1, &said(laid, node)),
        Kind::Paragraph => Tag::P.into(),
        Kind::Table => Tag::Table.into(),
        Kind::Head => Tag::THead.into(),
        Kind::Body => Tag::TBody.into(),
        Kind::Row => Tag::TR.into(),
        Kind::ColumnHead => Tag::TH(TableHeaderScope::Column).into(),
        Kind::RowHead => Tag::TH(TableHeaderScope::Row).into(),
        Kind::Cell => Tag::TD.into(),
    }
}

/// What a node says.
fn said(laid: &Laid, node: usize) -> String {
    let of_node = |piece: &Piece| match piece {
        Piece::Text { line, of, .. } if *of == Of::Node(node) => Some(line.text()),
        _ => None,
    };
    laid.pages.iter().flatten().filter_map(of_node).collect()
}

fn time(at: DateTime<Utc>) -> PdfTime {
    let small = |number: u32| u8::try_from(number).unwrap_or_default();
    let day = PdfTime::new(u16::try_from(at.year()).unwrap_or_default()).month(small(at.month())).day(small(at.day()));
    day.hour(small(at.hour()))
        .minute(small(at.minute()))
        .second(small(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}
