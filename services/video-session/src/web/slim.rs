//! The page's parts without what is only for readers of the source: a phone on one bar pays for every byte.

fn slim(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim_start)
        .filter(|line| !line.is_empty() && !line.starts_with("//") && !line.starts_with("/*"))
}

pub(super) fn markup(text: &str) -> String {
    slim(text).flat_map(|line| [line, "\n"]).collect()
}

/// Where a line ends with one of these, its end says nothing. (No line of ours ends in a comment: `page.test.mjs`.)
fn code(text: &str) -> String {
    slim(text).flat_map(|line| [line, if line.ends_with([';', '{', ',', '(']) { "" } else { "\n" }]).collect()
}

/// What a page says has none of these. (`page.test.mjs`, too.)
pub(super) fn script(text: &str) -> String {
    let gaps = [" = ", " => ", " === ", " !== ", " && ", " || ", ") {"];
    gaps.into_iter().fold(code(text), |text, gap| text.replace(gap, &gap.replace(' ', "")))
}

pub(super) fn style(text: &str) -> String {
    let gaps = [("; ", ";"), (" {", "{"), ("{ ", "{"), (": ", ":"), (", ", ","), (" }", "}"), (";}", "}")];
    gaps.into_iter().fold(code(text).replace('\n', ""), |text, (gap, closed)| text.replace(gap, closed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closed_up_means_the_same() {
        assert_eq!(
            style("/* why */\na,\nb {\n  top: calc(1px + 2px);\n  left: 0;\n}\n"),
            "a,b{top:calc(1px + 2px);left:0}"
        );
        assert_eq!(
            script("if (a) {\n  // why\n  b(\n    c,\n  );\n}\nd = () => e && 1;\n"),
            "if (a){b(c,);}\nd=()=>e&&1;"
        );
    }
}
