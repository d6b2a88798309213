//! Shifts, as the proto says them.

use api::transfer::v1::{self as proto, SetShiftRequest};

use super::{figures::time, parse};
use crate::{app::Plan, domain::Shift, error::Error, events::timestamp};

pub(super) fn plan(request: &SetShiftRequest) -> Result<Plan, Error> {
    let of = if request.shift_id.is_empty() { Err(parse(&request.of)?) } else { Ok(parse(&request.shift_id)?) };
    let (from, until) = (time(request.from), time(request.until));
    Ok(Plan { of, from: from.ok_or(Error::InvalidShift)?, until: until.ok_or(Error::InvalidShift)? })
}

/// As the proto says it.
pub(crate) fn shift(shift: &Shift) -> proto::Shift {
    proto::Shift {
        shift_id: shift.id.to_string(),
        of: shift.officer.to_string(),
        from: Some(timestamp(shift.from)),
        until: Some(timestamp(shift.until)),
    }
}
