//! Blocks flow onto pages: a heading stays with what it is over, a table's header is repeated on each page, a row is broken only where
//! it is long.

use super::{
    block::{Block, Cell},
    fonts::{Fonts, Style},
    text::{self, Line, Look},
};

/// A4, in points.
pub const PAGE: (f32, f32) = (595.28, 841.89);
/// Where text may stand: left, top, right, bottom.
pub const AREA: (f32, f32, f32, f32) = (51.0, 62.0, 544.28, 776.0);

/// Of the text in tables and paragraphs.
const BODY: Look = Look { size: 8.5, style: Style::Regular };
const LEADING: f32 = 11.5;
/// Between a table's columns.
const GAP: f32 = 10.0;
/// Above and below a row's text.
const PAD: f32 = 3.0;
/// A row of so many lines is kept whole.
const WHOLE: usize = 14;
/// The least lines of a broken row on either side.
const LEAST: usize = 2;

/// What a node of the document's structure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The document's title.
    Title,
    /// A heading of a section.
    Heading,
    /// A paragraph.
    Paragraph,
    /// A table.
    Table,
    /// Its header.
    Head,
    /// The rows of it.
    Body,
    /// One of them.
    Row,
    /// What a column is of.
    ColumnHead,
    /// What a row is of.
    RowHead,
    /// A cell.
    Cell,
}

/// A node of the document's structure, in the order in which they are read.
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// The one that it is in.
    pub parent: Option<usize>,
}

/// Whose part of the page something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// This node's.
    Node(usize),
    /// The page's: what is over and under the text, and what is said again on a further page.
    Page,
}

/// How dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Text.
    Black,
    /// Labels.
    Grey,
    /// Between the rows of a table.
    Pale,
}

/// Something on a page.
pub enum Piece {
    /// A line of text.
    Text {
        /// Its left end.
        x: f32,
        /// Where its letters stand.
        baseline: f32,
        /// Of its letters.
        size: f32,
        /// How dark.
        ink: Ink,
        /// What it says.
        line: Line,
        /// Whose.
        of: Of,
    },
    /// A line across a table.
    Rule {
        /// From where.
        y: f32,
        /// How thick.
        thick: f32,
        /// How dark.
        ink: Ink,
    },
}

/// A document, laid out.
pub struct Laid {
    /// Its pages.
    pub pages: Vec<Vec<Piece>>,
    /// Its structure.
    pub nodes: Vec<Node>,
    /// Its headings: what they say, on which page, and how far down.
    pub headings: Vec<(String, usize, f32)>,
}

/// What stands on every page.
pub struct Margins<'m> {
    /// In the middle, above and below.
    pub marking: &'m str,
    /// Below, at the left.
    pub reference: &'m str,
}

struct Flow<'f> {
    fonts: &'f Fonts,
    laid: Laid,
    y: f32,
}

/// A table whose cells are set.
struct SetTable {
    /// Where each column begins.
    columns: Vec<f32>,
    header: Option<Vec<Vec<Line>>>,
    rows: Vec<SetRow>,
    first: Kind,
}

struct SetRow {
    cells: Vec<(Vec<Line>, Ink)>,
    lines: usize,
}

/// A block whose lines are known.
enum Set {
    Lines { lines: Vec<Line>, look: Look, leading: f32, above: f32, kind: Kind },
    Table(SetTable),
}

/// Lays blocks out on pages.
#[must_use]
pub fn lay(fonts: &Fonts, blocks: &[Block], margins: &Margins<'_>) -> Laid {
    let mut flow = Flow { fonts, laid: Laid { pages: vec![vec![]], nodes: vec![], headings: vec![] }, y: AREA.1 };
    let set: Vec<_> = blocks.iter().map(|block| set(fonts, block)).collect();
    for (n, (block, text)) in blocks.iter().zip(&set).enumerate() {
        if let Block::Heading(title) = block {
            let under = set.get(n + 1).map_or(0.0, Set::least);
            let kept = match text {
                Set::Lines { lines, leading, above, .. } => above + leading * lines.len() as f32 + under,
                Set::Table(_) => under,
            };
            if flow.y + kept > AREA.3 {
                flow.turn();
            }
            let page = flow.laid.pages.len() - 1;
            flow.laid.headings.push((title.clone(), page, flow.y));
        }
        match text {
            Set::Lines { lines, look, leading, above, kind } => flow.lines(lines, *look, (*leading, *above), *kind),
            Set::Table(table) => flow.table(table),
        }
    }
    flow.margins(margins);
    flow.laid
}

fn set(fonts: &Fonts, block: &Block) -> Set {
    let width = AREA.2 - AREA.0;
    let lines = |text: &str, look: Look, leading, above, kind| Set::Lines {
        lines: text::set(fonts, text, look, width),
        look,
        leading,
        above,
        kind,
    };
    match block {
        Block::Title(text) => lines(text, Look { size: 18.0, style: Style::Bold }, 24.0, 0.0, Kind::Title),
        Block::Heading(text) => lines(text, Look { size: 11.0, style: Style::Bold }, 16.0, 14.0, Kind::Heading),
        Block::Paragraph(text) => lines(text, BODY, LEADING, 4.0, Kind::Paragraph),
        Block::Facts(facts) => {
            let row = |(label, value): &(&str, Cell)| [Cell::from(*label), value.clone()];
            let rows = facts.iter().map(row);
            Set::Table(set_table(fonts, &[23, 77], None, rows.map(|row| row.to_vec()).collect(), Kind::RowHead))
        }
        Block::Table { columns, rows } => {
            let shares: Vec<_> = columns.iter().map(|(_, share)| *share).collect();
            let titles = columns.iter().map(|(title, _)| *title).collect();
            Set::Table(set_table(fonts, &shares, Some(titles), rows.clone(), Kind::Cell))
        }
    }
}

fn set_table(fonts: &Fonts, shares: &[u16], titles: Option<Vec<&str>>, rows: Vec<Vec<Cell>>, first: Kind) -> SetTable {
    let (left, _, right, _) = AREA;
    let gaps = GAP * (shares.len() as f32 - 1.0);
    let unit = (right - left - gaps) / f32::from(shares.iter().sum::<u16>());
    let widths: Vec<_> = shares.iter().map(|share| unit * f32::from(*share)).collect();
    let columns = widths.iter().scan(left, |x, width| Some(std::mem::replace(x, *x + width + GAP))).collect();
    let bold = Look { style: Style::Bold, ..BODY };
    let head = |titles: Vec<&str>| {
        titles.into_iter().zip(&widths).map(|(title, width)| text::set(fonts, title, bold, *width)).collect()
    };
    let row = |cells: Vec<Cell>| {
        let cell = |(n, (cell, width)): (usize, (Cell, &f32))| {
            // A cell that says nothing is no cell to who has the page read to them.
            let said = if cell.text.trim().is_empty() { "\u{2013}" } else { &cell.text };
            let ink = if n == 0 && first == Kind::RowHead { Ink::Grey } else { Ink::Black };
            (text::set(fonts, said, Look { style: cell.style, ..BODY }, *width), ink)
        };
        let cells: Vec<_> = cells.into_iter().zip(&widths).enumerate().map(cell).collect();
        let lines = cells.iter().map(|(lines, _)| lines.len()).max().unwrap_or(0);
        SetRow { cells, lines }
    };
    SetTable { columns, header: titles.map(head), rows: rows.into_iter().map(row).collect(), first }
}

impl Set {
    /// The least of it that may stand under a heading.
    fn least(&self) -> f32 {
        match self {
            Self::Lines { lines, leading, above, .. } => above + leading * lines.len().min(LEAST) as f32,
            Self::Table(table) => table.least(),
        }
    }
}

impl SetTable {
    /// Its header and the first row, as far as that must stay together.
    fn least(&self) -> f32 {
        let lines = self.rows.first().map_or(0, |row| if row.lines <= WHOLE { row.lines } else { LEAST + 1 });
        PAD + self.header_height() + height_of(lines)
    }

    fn header_height(&self) -> f32 {
        let lines = self.header.iter().flatten().map(Vec::len).max();
        lines.map_or(0.0, height_of)
    }
}

fn height_of(lines: usize) -> f32 {
    LEADING * lines as f32 + 2.0 * PAD
}

impl Flow<'_> {
    fn turn(&mut self) {
        self.laid.pages.push(vec![]);
        self.y = AREA.1;
    }

    fn node(&mut self, kind: Kind, parent: Option<usize>) -> usize {
        self.laid.nodes.push(Node { kind, parent });
        self.laid.nodes.len() - 1
    }

    fn put(&mut self, piece: Piece) {
        if let Some(page) = self.laid.pages.last_mut() {
            page.push(piece);
        }
    }

    fn lines(&mut self, lines: &[Line], look: Look, (leading, above): (f32, f32), kind: Kind) {
        let node = self.node(kind, None);
        // At the top of a page there is nothing to keep away from.
        if self.y > AREA.1 {
            self.y += above;
        }
        for line in lines {
            if self.y + leading > AREA.3 {
                self.turn();
            }
            self.y += leading;
            let (x, baseline) = (AREA.0, self.y - (leading - look.size) / 2.0 - look.size * 0.2);
            self.put(Piece::Text {
                x,
                baseline,
                size: look.size,
                ink: Ink::Black,
                line: line.clone(),
                of: Of::Node(node),
            });
        }
    }

    fn table(&mut self, table: &SetTable) {
        let node = self.node(Kind::Table, None);
        if self.y + table.least() > AREA.3 {
            self.turn();
        }
        self.y += PAD;
        if let Some(header) = &table.header {
            let head = self.node(Kind::Head, Some(node));
            let row = self.node(Kind::Row, Some(head));
            let cells: Vec<_> = header.iter().map(|_| self.node(Kind::ColumnHead, Some(row))).collect();
            self.header(table, Some(&cells));
        }
        let body = self.node(Kind::Body, Some(node));
        for row in &table.rows {
            self.row(table, row, body);
        }
    }

    /// A table's header: the first time as part of the table, and then only to be seen.
    fn header(&mut self, table: &SetTable, cells: Option<&[usize]>) {
        let Some(header) = &table.header else { return };
        for (n, (lines, x)) in header.iter().zip(&table.columns).enumerate() {
            let of = cells.and_then(|cells| cells.get(n)).map_or(Of::Page, |cell| Of::Node(*cell));
            self.cell(*x, lines, Ink::Black, of);
        }
        self.y += table.header_height();
        self.put(Piece::Rule { y: self.y, thick: 0.7, ink: Ink::Black });
    }

    fn row(&mut self, table: &SetTable, row: &SetRow, body: usize) {
        let node = self.node(Kind::Row, Some(body));
        let kind = |n| if n == 0 { table.first } else { Kind::Cell };
        let cells: Vec<_> = (0..row.cells.len()).map(|n| self.node(kind(n), Some(node))).collect();
        let mut from = 0;
        while from < row.lines {
            let left = row.lines - from;
            // Of a row there is never less than a line.
            let fitting = ((AREA.3 - self.y - 2.0 * PAD) / LEADING).max(0.0) as usize;
            let is_whole = from == 0 && row.lines <= WHOLE;
            let take = match fitting {
                all if all >= left => left,
                some if !is_whole && some > LEAST => some.min(left - LEAST),
                _ => {
                    self.turn();
                    self.header(table, None);
                    continue;
                }
            };
            for (n, ((lines, ink), x)) in row.cells.iter().zip(&table.columns).enumerate() {
                let part = lines.get(from..lines.len().min(from + take)).unwrap_or_default();
                self.cell(*x, part, *ink, Of::Node(cells[n]));
            }
            self.y += height_of(take);
            from += take;
            self.put(Piece::Rule { y: self.y, thick: 0.5, ink: Ink::Pale });
            if from < row.lines {
                self.turn();
                self.header(table, None);
            }
        }
    }

    fn cell(&mut self, x: f32, lines: &[Line], ink: Ink, of: Of) {
        for (n, line) in lines.iter().enumerate() {
            let baseline = self.y + PAD + LEADING * (n as f32 + 1.0) - (LEADING - BODY.size) / 2.0 - BODY.size * 0.2;
            self.put(Piece::Text { x, baseline, size: BODY.size, ink, line: line.clone(), of });
        }
    }

    /// What stands on each page above and below, once it is known how many there are.
    fn margins(&mut self, margins: &Margins<'_>) {
        let (left, _, right, _) = AREA;
        let fonts = self.fonts;
        let (small, bold) = (Look { size: 8.0, style: Style::Regular }, Look { size: 9.0, style: Style::Bold });
        let count = self.laid.pages.len();
        for (n, page) in self.laid.pages.iter_mut().enumerate() {
            let mut put = |text: &str, look: Look, baseline: f32, at: f32| {
                for line in text::set(fonts, text, look, right - left).into_iter().take(1) {
                    let x = left + (right - left - line.width) * at;
                    page.push(Piece::Text { x, baseline, size: look.size, ink: Ink::Black, line, of: Of::Page });
                }
            };
            put(margins.marking, bold, 36.0, 0.5);
            put(margins.marking, bold, 814.0, 0.5);
            put(margins.reference, small, 800.0, 0.0);
            put(&format!("Page {} of {count}", n + 1), small, 800.0, 1.0);
        }
    }
}
