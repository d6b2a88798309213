//! Our two cookies. `__Host-` ties both to this very origin: no other host of the force's can set or read them.

use http::{HeaderMap, header};

/// A sign-in. Strict: no other site's page can have it sent along.
pub(super) const SESSION: &str = "__Host-alcove";
/// A sign-in on its way. Lax: the way back from the issuer is another site's.
pub(super) const TICKET: &str = "__Host-alcove-begun";

/// Sets a cookie for that many seconds; 0 takes it away.
pub(super) fn set(name: &str, value: &str, seconds: i64) -> String {
    let site = if name == SESSION { "Strict" } else { "Lax" };
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite={site}; Max-Age={seconds}")
}

/// A cookie among those of whoever else serves from this host.
pub(super) fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}
