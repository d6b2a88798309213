//! What a service's store can fail with, beside the wrong answer: the same in each service that names its statements.

/// A statement's failure, or a row's.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Postgres, or the way to it.
    #[error("the database failed in {0}")]
    Database(&'static str, #[source] sqlx::Error),
    /// A row that the domain can't read: damage, or a newer version's.
    #[error("row {row} of {table} has an impossible {column}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        row: String,
    },
}
