//! The trace that pages and peers say a request belongs to: what is one is told by the places of its characters, in another way than it is
//! read; what is none is no trace; and one that is read has one spelling, by which it is the same again.

use opentelemetry::trace::TraceContextExt;
use w3c::Trace;

#[allow(dead_code, reason = "spans use the rest")]
#[path = "../../../crates/chassis/src/trace/traceparent.rs"]
mod w3c;

const IDS: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
const NO_SPAN: &str = "0af7651916cd43dd8448eb211c80319c-0000000000000000";

/// The seeds.
pub fn begin() {
    let seeds = [
        format!("00-{IDS}-01"),
        format!(" 00-{IDS}-00\t"),
        format!("cc-{IDS}-03-and-more"),
        format!("ff-{IDS}-01"),
        format!("00-{IDS}-01-"),
        format!("00-{NO_SPAN}-01"),
    ];
    for (n, seed) in seeds.iter().enumerate() {
        fuzzing::write_seed("traceparent", &n.to_string(), seed.as_bytes());
    }
}

/// One input.
pub fn fuzz(bytes: &[u8]) {
    fuzzing::text(bytes, |text| {
        let trace = Trace::parse(text);
        let Some((trace_id, span_id, sampled)) = by_place(text.trim()) else {
            assert!(
                trace.is_empty() && trace.to_context().is_none() && trace.trace_id().is_empty(),
                "{text:?} is none"
            );
            return;
        };
        assert_eq!(trace.as_str(), format!("00-{trace_id}-{span_id}-0{}", u8::from(sampled)));
        assert_eq!(trace.trace_id(), trace_id);
        assert_eq!(Trace::parse(trace.as_str()), trace, "{text:?} is two");
        let parent = trace.to_context().expect("a trace is a parent");
        let parent = parent.span().span_context().clone();
        assert!(parent.is_remote() && parent.is_sampled() == sampled);
        assert_eq!(
            (parent.trace_id().to_string(), parent.span_id().to_string()),
            (trace_id.to_owned(), span_id.to_owned())
        );
    });
}

/// Of a `traceparent` as W3C Trace Context has it, this version or a later one: trace, span, and whether it is recorded.
fn by_place(text: &str) -> Option<(&str, &str, bool)> {
    let (head, more) = text.as_bytes().split_at_checked(55)?;
    let is_right = |(at, byte): (usize, &u8)| match at {
        2 | 35 | 52 => *byte == b'-',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(byte),
    };
    let ends = more.is_empty() || more[0] == b'-' && !text.starts_with("00");
    if !head.iter().enumerate().all(is_right) || !ends || text.starts_with("ff") {
        return None;
    }
    let (trace, span) = (&text[3..35], &text[36..52]);
    let is_id = |id: &str| id.bytes().any(|byte| byte != b'0');
    let sampled = u8::from_str_radix(&text[54..55], 16).is_ok_and(|flags| flags & 1 == 1);
    (is_id(trace) && is_id(span)).then_some((trace, span, sampled))
}
