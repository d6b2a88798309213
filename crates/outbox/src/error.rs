//! What can go wrong, and the one place that says whether a database error means "away" or "wrong".

use std::error::Error as StdError;

/// The outbox's failures.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused, or is away: see [`Error::is_unavailable`].
    #[error("the database could not do it")]
    Database(#[from] sqlx::Error),
    /// The tables of a schema, the outbox's or a service's, could not be brought up to date.
    #[error("the migrations of {schema} failed")]
    Migrate {
        /// The schema.
        schema: &'static str,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// In production: the role that we connect as may see every force's rows, whatever the policies say.
    #[error("the database's role is a superuser or has BYPASSRLS: no policy keeps the forces apart")]
    Unbound,
    /// A setting can't be gone by.
    #[error(transparent)]
    Config(#[from] chassis::ConfigError),
    /// The message bus could not do it.
    #[error("NATS could not {doing}")]
    Nats {
        /// What was being done.
        doing: &'static str,
        /// Why not.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The `request_id` has been used before, with another method or other content.
    #[error("request_id was used before for a different request")]
    RequestIdReused,
    /// A stored answer is forgotten by now; or it is missing or unreadable, a bug in the use case that should have remembered it.
    #[error("the first answer to {rpc} is not kept")]
    AnswerLost {
        /// The method.
        rpc: &'static str,
    },
}

impl Error {
    /// Is a dependency away, so that trying again later may work? Services answer UNAVAILABLE for it.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Database(error) => is_away(error),
            Self::Migrate { source: sqlx::migrate::MigrateError::Execute(error), .. } => is_away(error),
            Self::Nats { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn nats(doing: &'static str) -> impl Fn(Box<dyn StdError + Send + Sync>) -> Self {
        move |source| Self::Nats { doing, source }
    }
}

/// Does this error mean that the database is away (unreachable, starting, stopping, out of room or connections)
/// rather than that the statement was wrong? Every service asks this one function.
#[must_use]
pub fn is_away(error: &sqlx::Error) -> bool {
    match error {
        // A connection that is closed before the server has said a word is an answer of nothing to the first question of all.
        // Whatever else breaks the protocol is a fault of somebody's.
        sqlx::Error::Protocol(said) => said.contains("SSLRequest"),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // 08 connection, 53 out of resources, 57P0x stopping or starting, 58 the server's own I/O, 25006 a standby.
            ["08", "53", "57P", "58"].iter().any(|class| code.starts_with(class)) || code == "25006"
        }),
        _ => false,
    }
}

/// Is there, anywhere down an error's sources, a database or bus that is away?
pub(crate) fn stems_from_away(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<sqlx::Error>().is_some_and(is_away)
            || error.downcast_ref::<Error>().is_some_and(Error::is_unavailable)
        {
            return true;
        }
        next = error.source();
    }
    false
}
