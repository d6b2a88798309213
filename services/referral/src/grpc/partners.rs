//! SearchPartners.

use api::referral::v1::{self as proto, SearchPartnersRequest, SearchPartnersResponse};
use tonic::{Request, Status};

use crate::{
    app::App,
    books::partners::{Partner, Route},
    error::Error,
};

pub(super) async fn search_partners(
    app: &App,
    request: &Request<SearchPartnersRequest>,
) -> Result<SearchPartnersResponse, Status> {
    let SearchPartnersRequest { force_id, kind, postcode } = request.get_ref();
    let force = force_id.parse().map_err(Error::Force)?;
    let found = app.partners(&force, kind, postcode)?;
    Ok(SearchPartnersResponse { partners: found.into_iter().map(|(p, in_area)| partner(p, in_area)).collect() })
}

/// A partner as officers see them.
pub(super) fn partner(partner: &Partner, in_area: bool) -> proto::Partner {
    let route = match partner.route {
        Route::None => proto::Route::None,
        Route::Email { .. } => proto::Route::Email,
        Route::Webhook { .. } => proto::Route::Webhook,
    };
    proto::Partner {
        partner_id: partner.id.clone(),
        name: partner.name.clone(),
        in_area,
        route: route.into(),
        phone: partner.phone.clone(),
    }
}
