//! The interceptor chains, slot by slot from the wire inwards. Never `register_default_interceptors`: it asks for a lost
//! packet for ever, because `rtc` unwraps retransmissions only behind it.

use rtc::interceptor::{
    NackResponderBuilder, ReceiverReportBuilder, Registry, Slot, TwccReceiverBuilder, TwccSenderBuilder,
};

use super::{
    estimate::{Budget, Estimate},
    nack::BoundedNack,
    rtx::UnwrapRtx,
    tap::Tap,
};

/// For a publisher: what we receive is reported, repaired and acknowledged.
pub(super) fn publisher() -> Registry {
    Registry::new()
        // Both see retransmissions as they came: they describe the path.
        .with(Slot::from(6_400), TwccReceiverBuilder::new().build())
        .with(Slot::from(6_450), ReceiverReportBuilder::new().build())
        .with(Slot::from(6_500), UnwrapRtx::default())
        .with(Slot::NackGenerator, BoundedNack::default())
        .with(Slot::from(12_500), Tap::default())
}

/// For a viewer: what it missed is sent again, and what its path carries goes into the budget. No sender reports of ours: the
/// publisher's are forwarded, rewritten.
pub(super) fn viewer(budget: &Budget) -> Registry {
    Registry::new()
        .with(Slot::CongestionControl, Estimate::new(budget))
        .with(Slot::TwccSender, TwccSenderBuilder::new().build())
        .with(Slot::NackResponder, NackResponderBuilder::new().with_size(512).build())
        .with(Slot::from(12_500), Tap::default())
}
