//! RTP's short counters made long: 16-bit sequence numbers and 32-bit timestamps, each near the one before.

/// Extends sequence numbers. Starts well above zero, so that an early reordered packet stays positive.
#[derive(Debug, Default)]
pub(super) struct Sequence(Option<i64>);

/// Extends timestamps.
#[derive(Debug, Default)]
pub(super) struct Timestamp(Option<i64>);

impl Sequence {
    pub(super) fn extend(&mut self, short: u16) -> i64 {
        let Some(last) = self.0 else {
            let first = (1 << 16) + i64::from(short);
            self.0 = Some(first);
            return first;
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "modulo 2^16 is the point")]
        let step = short.wrapping_sub(last as u16).cast_signed();
        let long = last + i64::from(step);
        self.0 = Some(last.max(long));
        long
    }
}

impl Timestamp {
    pub(super) fn extend(&mut self, short: u32) -> i64 {
        let Some(last) = self.0 else {
            self.0 = Some(i64::from(short));
            return i64::from(short);
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "modulo 2^32 is the point")]
        let step = short.wrapping_sub(last as u32).cast_signed();
        let long = last + i64::from(step);
        self.0 = Some(long);
        long
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_wrap_both_ways() {
        let mut sequence = Sequence::default();
        let first = sequence.extend(65_534);
        assert_eq!(sequence.extend(1), first + 3);
        assert_eq!(sequence.extend(65_535), first + 1, "late, from before the wrap");
        assert_eq!(sequence.extend(2), first + 4);
    }

    #[test]
    fn timestamps_wrap() {
        let mut timestamp = Timestamp::default();
        let first = timestamp.extend(u32::MAX - 10);
        assert_eq!(timestamp.extend(20), first + 31);
        assert_eq!(timestamp.extend(u32::MAX), first + 10);
    }
}
