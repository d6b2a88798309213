//! When which connection wants to be woken. One that sets its alarm earlier leaves the old one where it is, to be found stale
//! when its time comes: so no packet costs a look at every connection.

use std::{cmp::Reverse, collections::BinaryHeap, time::Instant};

use super::ResourceId;

/// All alarms, the next one first.
#[derive(Default)]
pub(super) struct Alarms(BinaryHeap<Reverse<(Instant, ResourceId)>>);

/// A connection's own side of it.
#[derive(Default)]
pub(super) struct Alarm {
    /// When it wants to be woken.
    pub(super) wanted: Option<Instant>,
    /// The earliest that is set.
    set: Option<Instant>,
}

impl Alarms {
    /// When the next one goes off.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// Sets a connection's alarm to when it wants to be woken.
    pub(super) fn set(&mut self, resource: ResourceId, alarm: &mut Alarm) {
        if let Some(wanted) = alarm.wanted
            && alarm.set.is_none_or(|set| wanted < set)
        {
            alarm.set = Some(wanted);
            self.0.push(Reverse((wanted, resource)));
        }
    }

    /// One that has gone off: whose, and for when it was set.
    pub(super) fn gone_off(&mut self, now: Instant) -> Option<(Instant, ResourceId)> {
        let Reverse(first) = self.0.peek().filter(|Reverse((at, _))| *at <= now).copied()?;
        self.0.pop();
        Some(first)
    }
}

impl Alarm {
    /// One of its alarms has gone off. True when it is time; otherwise it must be set again, or was stale.
    pub(super) fn goes_off(&mut self, at: Instant, now: Instant) -> bool {
        if self.set != Some(at) {
            return false;
        }
        self.set = None;
        self.wanted.take_if(|wanted| *wanted <= now).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_alarm_goes_off_when_it_was_wanted_last() {
        let (mut alarms, mut alarm, start, id) = (Alarms::default(), Alarm::default(), Instant::now(), ResourceId(7));
        let after = |millis| start + Duration::from_millis(millis);
        let mut went_off = Vec::new();
        for (at, wanted) in [(0, 50), (1, 20), (2, 30), (21, 30), (22, 90), (91, 0)] {
            while let Some((set, whose)) = alarms.gone_off(after(at)) {
                assert_eq!(whose, id);
                if alarm.goes_off(set, after(at)) {
                    went_off.push(at);
                }
                alarms.set(id, &mut alarm);
            }
            if wanted > at {
                alarm.wanted = Some(after(wanted));
                alarms.set(id, &mut alarm);
            }
        }
        assert_eq!(went_off, [91]);
        assert_eq!(alarms.next(), None);
    }
}
