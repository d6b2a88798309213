//! A publication: its packets put in order, its frames made whole and given a time, its recording written.

use std::time::Instant;

use chrono::DateTime;
use ids::SessionId;
use rtc::{rtcp::sender_report::SenderReport, rtp::Packet};

use super::{
    Counters, EndedWhy, Kind, MediaEvent, Noted, Publication, RecordedSegment, ResourceId, What,
    cap::Cap,
    ends::{End, Ends},
    frames::{Assembled, Assembler, Frame},
    keyframe::{KeyFrames, Keyless},
    negotiate::{Payload, VideoCodec},
    recorder::Recorder,
    reorder::Ordered,
    shown::Shown,
    stream::Stream,
    timeline::SenderClock,
};
use crate::domain::Recording;

/// Microseconds without any packet that are noted: sound comes 50 times a second, silence included.
const SILENCE: i64 = 2_000_000;

/// A publication while it lives.
pub(super) struct Publisher {
    publication: Publication,
    /// An instant and what the wall clock said then: all later wall time is counted from it, so a set clock can't tear a recording.
    began: (Instant, i64),
    pub(super) video: Option<(VideoCodec, Payload)>,
    pub(super) audio: Option<Payload>,
    pub(super) viewers: Vec<ResourceId>,
    pub(super) key_frames: KeyFrames,
    /// What it is asked for, if it may be.
    pub(super) cap: Option<Cap>,
    streams: [Stream; 2],
    assembler: Option<Assembler>,
    clock: SenderClock,
    /// Of the sound.
    ends: Ends,
    recorder: Option<Recorder>,
    /// Where in the recording its newest pictures are.
    pub(super) shown: Shown,
    /// How many were made, once there is no recorder any more.
    segments: u64,
    counters: Counters,
    seen: bool,
    seen_key: bool,
    keyless: Keyless,
    size: Option<(u16, u16)>,
    assembled: Vec<Assembled>,
}

impl Publisher {
    pub(super) fn new(
        publication: Publication,
        began: (Instant, i64),
        video: Option<(VideoCodec, Payload)>,
        audio: Option<Payload>,
    ) -> Self {
        let assembler = video.as_ref().map(|(codec, _)| Assembler::new(*codec));
        let picture = assembler.as_ref().map(Assembler::picture);
        let cap = publication.yields.then(Cap::default);
        let is_kept = publication.recording.is_kept();
        let mut recorder = is_kept.then(|| Recorder::new(publication.clone(), picture, audio.is_some()));
        if let Some(recorder) = recorder.as_mut().filter(|_| publication.recording == Recording::Paused) {
            recorder.pause(&mut Vec::new());
        }
        Self {
            publication,
            began,
            video,
            audio,
            viewers: Vec::new(),
            key_frames: KeyFrames::default(),
            cap,
            streams: [Stream::new(48_000), Stream::new(90_000)],
            assembler,
            clock: SenderClock::default(),
            ends: Ends::default(),
            recorder,
            shown: Shown::default(),
            segments: 0,
            counters: Counters::default(),
            seen: false,
            seen_key: false,
            keyless: Keyless::default(),
            size: None,
            assembled: Vec::new(),
        }
    }

    /// Its session.
    pub(super) fn session(&self) -> SessionId {
        self.publication.session
    }

    /// The recording stands so from here on. What still waits to be put in order is not in it.
    pub(super) fn record(&mut self, now: Instant, recording: Recording, events: &mut Vec<MediaEvent>) {
        self.tell_keyless(self.wall(now), events);
        self.place(None);
        let Some(recorder) = &mut self.recorder else { return };
        let mut segments = Vec::new();
        match recording {
            Recording::On => {
                recorder.resume(now);
                // What comes until then builds on what isn't there.
                self.seen_key = false;
                self.key_frames.want();
            }
            Recording::Paused => recorder.pause(&mut segments),
            Recording::Stopped | Recording::Refused => {
                return self.end_recording(self.wall(now), EndedWhy::RecordingStopped, events);
            }
        }
        self.written(segments, events);
    }

    /// Which stream a packet belongs to, by its payload type; `None`, and counted, for what was not agreed on.
    pub(super) fn kind(&mut self, packet: &Packet) -> Option<Kind> {
        let is = |payload: &Payload| payload.payload_type == packet.header.payload_type;
        let kind = match (&self.video, &self.audio) {
            (Some((_, picture)), _) if is(picture) => Some(Kind::Video),
            (_, Some(sound)) if is(sound) => Some(Kind::Audio),
            _ => None,
        };
        self.counters.other_packets += u64::from(kind.is_none());
        kind
    }

    /// Which stream a sender report describes.
    pub(super) fn kind_of(&self, ssrc: u32) -> Option<Kind> {
        [Kind::Audio, Kind::Video].into_iter().find(|kind| self.streams[*kind as usize].ssrc == Some(ssrc))
    }

    /// The SSRC of its picture, once there is one.
    pub(super) fn picture(&self) -> Option<u32> {
        self.streams[Kind::Video as usize].ssrc
    }

    /// The SSRC to name in a key-frame request, when one is due.
    pub(super) fn key_frame_due(&mut self, now: Instant) -> Option<u32> {
        let ssrc = self.picture()?;
        if !self.key_frames.due(now) {
            return None;
        }
        self.counters.key_frame_requests += 1;
        Some(ssrc)
    }

    /// A packet arrived.
    pub(super) fn packet(&mut self, now: Instant, kind: Kind, packet: Packet, events: &mut Vec<MediaEvent>) {
        let wall = self.wall(now);
        self.heard(kind, wall, events);
        let stream = &mut self.streams[kind as usize];
        stream.ssrc = Some(packet.header.ssrc);
        stream.timeline.arrived(&self.clock, packet.header.timestamp, wall);
        let sequence_number = packet.header.sequence_number;
        if kind == Kind::Audio {
            self.ends.packet(sequence_number, packet.header.timestamp);
        }
        if !stream.reorder.push(now, sequence_number, packet) {
            return;
        }
        let Counters { audio_first, audio_packets, video_first, video_packets, .. } = &mut self.counters;
        let (first, packets) = match kind {
            Kind::Audio => (audio_first, audio_packets),
            Kind::Video => (video_first, video_packets),
        };
        first.get_or_insert(sequence_number);
        *packets += 1;
        self.advance(now, kind, events);
        self.place(Some(wall));
    }

    /// A sender report arrived.
    pub(super) fn report(&mut self, now: Instant, kind: Kind, report: &SenderReport) {
        let (wall, timeline) = (self.wall(now), &mut self.streams[kind as usize].timeline);
        let taken = timeline.report(&mut self.clock, report.ntp_time, report.rtp_time, wall);
        if !taken {
            tracing::debug!(participant = %self.publication.participant, "sender report refused");
        }
        if kind == Kind::Audio {
            self.ends.report(report.packet_count, report.rtp_time);
        }
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: Instant, events: &mut Vec<MediaEvent>) {
        self.advance(now, Kind::Audio, events);
        self.advance(now, Kind::Video, events);
        self.place(Some(self.wall(now)));
        if let Some(recorder) = &mut self.recorder {
            let mut segments = Vec::new();
            recorder.poll(now, &mut segments);
            self.written(segments, events);
        }
    }

    fn written(&mut self, segments: Vec<RecordedSegment>, events: &mut Vec<MediaEvent>) {
        let Some(began) = self.recorder.as_ref().and_then(Recorder::began) else { return };
        for segment in segments {
            self.shown.written(&segment, began);
            events.push(MediaEvent::Segment(segment));
        }
    }

    /// It is over: what waits is written, and the last event sent.
    pub(super) fn finish(mut self, now: Instant, why: EndedWhy, events: &mut Vec<MediaEvent>) {
        for kind in [Kind::Audio, Kind::Video] {
            while let Some(next) = self.streams[kind as usize].reorder.flush() {
                self.ordered(now, kind, next, events);
            }
        }
        self.place(None);
        for End { first, packets } in self.ends.lost().collect::<Vec<_>>() {
            self.ordered(now, Kind::Audio, Ordered::Gap { first, packets }, events);
        }
        let wall = self.wall(now);
        for kind in [Kind::Audio, Kind::Video] {
            if self.streams[kind as usize].heard.is_some() {
                self.heard(kind, wall, events);
            }
        }
        self.end_recording(wall, why, events);
        let (segments, counters) = (self.segments, self.counters);
        let Publication { session, participant, track, .. } = self.publication;
        events.push(MediaEvent::PublicationEnded { session, participant, track, segments, why, counters });
    }

    /// Writes what the recorder still holds, and what became of the packets.
    fn end_recording(&mut self, wall: i64, why: EndedWhy, events: &mut Vec<MediaEvent>) {
        self.tell_keyless(wall, events);
        let Some(recorder) = &mut self.recorder else { return };
        let mut segments = Vec::new();
        recorder.finish(&mut segments);
        self.segments = recorder.segments();
        self.written(segments, events);
        self.note(wall, What::Ended { why, counters: self.counters }, events);
        self.recorder = None;
    }

    fn wall(&self, now: Instant) -> i64 {
        let since = now.saturating_duration_since(self.began.0).as_micros();
        self.began.1 + i64::try_from(since).unwrap_or_default()
    }

    fn advance(&mut self, now: Instant, kind: Kind, events: &mut Vec<MediaEvent>) {
        while let Some(next) = self.streams[kind as usize].reorder.pop(now) {
            self.ordered(now, kind, next, events);
        }
    }

    fn ordered(&mut self, now: Instant, kind: Kind, next: Ordered<Packet>, events: &mut Vec<MediaEvent>) {
        match (kind, next) {
            (_, Ordered::Gap { first, packets }) => {
                self.note(self.wall(now), What::Lost { medium: kind.medium(), first, packets }, events);
                if kind == Kind::Audio {
                    self.counters.audio_lost += packets;
                    return;
                }
                self.counters.video_lost += packets;
                self.key_frames.want();
                if let Some(assembler) = &mut self.assembler {
                    assembler.gap();
                }
            }
            (Kind::Audio, Ordered::Packet(packet)) => self.audio(now, packet, events),
            (Kind::Video, Ordered::Packet(packet)) => {
                let mut assembled = std::mem::take(&mut self.assembled);
                if let Some(assembler) = &mut self.assembler {
                    assembler.push(packet.header.timestamp, packet.header.marker, &packet.payload, &mut assembled);
                }
                for one in assembled.drain(..) {
                    match one {
                        Assembled::Frame(frame) => self.video(now, frame, events),
                        Assembled::Broken => {
                            self.counters.video_frames_broken += 1;
                            self.note(self.wall(now), What::BrokenFrame, events);
                            self.key_frames.want();
                        }
                    }
                }
                self.assembled = assembled;
            }
        }
    }

    fn video(&mut self, now: Instant, frame: Frame, events: &mut Vec<MediaEvent>) {
        if frame.key {
            self.key_frames.came();
            self.seen_key = true;
            self.first_media(now, events);
            if let Some((width, height)) = frame.size.filter(|size| self.size != Some(*size)) {
                self.size = frame.size;
                self.note(self.wall(now), What::Size { width, height }, events);
            }
            self.tell_keyless(self.wall(now), events);
        } else if !self.seen_key {
            // Nothing to decode it from.
            self.key_frames.want();
            if self.is_recorded() {
                self.keyless.add(self.wall(now));
            }
            return;
        }
        if let (Some(recorder), Some(assembler)) = (&mut self.recorder, &self.assembler)
            && recorder.is_undescribed()
        {
            recorder.describe(assembler.picture(), frame.size);
        }
        self.keep(now, Kind::Video, frame);
    }

    fn audio(&mut self, now: Instant, packet: Packet, events: &mut Vec<MediaEvent>) {
        if packet.payload.is_empty() {
            return;
        }
        if self.video.is_none() {
            self.first_media(now, events);
        }
        let timestamp = packet.header.timestamp;
        self.keep(now, Kind::Audio, Frame { timestamp, key: true, size: None, data: packet.payload });
    }

    /// It is recorded, unless that is paused, as soon as its time can be given.
    fn keep(&mut self, now: Instant, kind: Kind, frame: Frame) {
        if self.is_recorded() {
            let wall = self.wall(now);
            self.streams[kind as usize].keep(now, wall, frame);
        }
    }

    /// Records what waits for its time, of the streams that have settled by then; `None`: all of it.
    fn place(&mut self, by: Option<i64>) {
        let Some(recorder) = &mut self.recorder else { return };
        for (kind, stream) in [Kind::Audio, Kind::Video].into_iter().zip(&mut self.streams) {
            if by.is_some_and(|by| !stream.timeline.is_settled(by)) {
                continue;
            }
            for (came, wall, Frame { timestamp, key, data, .. }) in stream.timed(&self.clock) {
                if kind == Kind::Audio {
                    self.counters.audio_frames += u64::from(recorder.audio(came, wall, data).is_some());
                } else if let Some(at) = recorder.video(came, wall, key, data) {
                    self.shown.add(timestamp, at);
                    self.counters.video_frames += 1;
                }
            }
        }
    }

    /// A packet came, or will come no more: was there silence before?
    fn heard(&mut self, kind: Kind, wall: i64, events: &mut Vec<MediaEvent>) {
        let before = self.streams[kind as usize].heard.replace(wall);
        if let Some(since) = before.filter(|before| wall - before > SILENCE) {
            let since = DateTime::from_timestamp_micros(since).unwrap_or_default();
            self.note(wall, What::Silent { medium: kind.medium(), since }, events);
        }
    }

    fn is_recorded(&self) -> bool {
        self.recorder.as_ref().is_some_and(Recorder::is_on)
    }

    fn tell_keyless(&mut self, wall: i64, events: &mut Vec<MediaEvent>) {
        if let Some(what) = self.keyless.told() {
            self.note(wall, what, events);
        }
    }

    fn note(&self, wall: i64, what: What, events: &mut Vec<MediaEvent>) {
        if self.recorder.is_some() {
            let Publication { session, participant, track, .. } = self.publication.clone();
            let at = DateTime::from_timestamp_micros(wall).unwrap_or_default();
            events.push(MediaEvent::Noted(Noted { session, participant, track, at, what }));
        }
    }

    fn first_media(&mut self, now: Instant, events: &mut Vec<MediaEvent>) {
        if !std::mem::replace(&mut self.seen, true) {
            let video = self.video.as_ref().map(|(codec, _)| match codec {
                VideoCodec::Vp8 => "vp8",
                VideoCodec::H264 => "h264",
            });
            let (audio, paused) = (self.audio.as_ref().map(|_| "opus"), !self.is_recorded());
            self.note(self.wall(now), What::Began { video, audio, paused }, events);
            let Publication { session, participant, track, .. } = self.publication.clone();
            events.push(MediaEvent::FirstMedia { session, participant, track });
        }
    }
}

#[cfg(test)]
mod tests;
