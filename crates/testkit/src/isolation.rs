//! Forgets the filter on purpose: what a service's database lets one force do with another's rows, its statements aside.
#![allow(clippy::expect_used, reason = "a test without its database has failed; the message says why")]

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// The rule's words, as Postgres gives them back.
const RULE: &str = "((( SELECT current_setting('alcove.force'::text, true) AS current_setting) = force_id) \
                    OR (( SELECT current_setting('alcove.force'::text, true) AS current_setting) = '*'::text))";

/// The tables of a service, and which of them no force owns.
#[derive(Debug, Clone, Copy)]
pub struct Isolation<'a> {
    /// The service's schema.
    pub schema: &'a str,
    /// Tables whose rows belong to no force, each with the reason.
    pub nobodys: &'a [(&'a str, &'a str)],
    /// Tables that must have rows of the other force when this is asked: what has none proves nothing.
    pub filled: &'a [&'a str],
}

impl Isolation<'_> {
    /// Asks everything: every table has the rule or its reason not to, forced on its owner; we are nobody special; and
    /// in the scope of `own`, and in none, no table gives up, changes, loses or takes a row of `other`.
    ///
    /// # Panics
    /// When a row comes through, naming the table.
    pub async fn prove(&self, url: &str, own: &str, other: &str) {
        let mut database = PgConnection::connect(url).await.expect("the service's database");
        let special = "select rolsuper or rolbypassrls from pg_roles where rolname = current_user";
        let special: bool = sqlx::query_scalar(special).fetch_one(&mut database).await.expect("our role");
        assert!(!special, "no policy binds the role that the test connects as");
        let tables = self.guarded(&mut database).await;
        for table in &tables {
            self.forget(&mut database, table, own, other).await;
        }
        for table in self.filled {
            assert!(tables.iter().any(|guarded| guarded == table), "{table} isn't one of the guarded tables");
        }
    }

    /// The tables of forces. Each of the others is named as nobody's, and is there.
    async fn guarded(&self, database: &mut PgConnection) -> Vec<String> {
        let all = "select c.relname, c.relrowsecurity and c.relforcerowsecurity
                       and (select array_agg(pg_get_expr(p.polqual, c.oid)) from pg_policy p
                            where p.polrelid = c.oid and p.polcmd = '*' and p.polpermissive) = array[$2]
                   from pg_class c where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p')
                       and c.relname <> '_sqlx_migrations' order by 1";
        let all: Vec<(String, Option<bool>)> =
            sqlx::query_as(all).bind(self.schema).bind(RULE).fetch_all(database).await.expect("the catalogue");
        for (table, _) in self.nobodys {
            assert!(
                all.iter().any(|(name, ruled)| name == table && *ruled != Some(true)),
                "{table} has the rule, or isn't there"
            );
        }
        let of_forces = all.into_iter().filter(|(name, _)| !self.nobodys.iter().any(|(table, _)| table == name));
        let of_forces: Vec<_> = of_forces.collect();
        for (table, ruled) in &of_forces {
            let isolate = format!("select outbox.isolate('{}.{table}')", self.schema);
            assert_eq!(*ruled, Some(true), "{table} is open to every force: its migration wants {isolate}");
        }
        of_forces.into_iter().map(|(name, _)| name).collect()
    }

    /// Every kind of statement, without a filter.
    async fn forget(&self, database: &mut PgConnection, table: &str, own: &str, other: &str) {
        let (name, filled) = (format!("{}.{table}", self.schema), self.filled.contains(&table));
        scope(database, "*").await;
        let theirs = format!("select to_jsonb(t) from {name} t where force_id = '{other}'");
        let theirs: Vec<serde_json::Value> =
            sqlx::query_scalar(AssertSqlSafe(theirs)).fetch_all(&mut *database).await.expect("their rows");
        assert!(!filled || !theirs.is_empty(), "{name} has no row of {other}: nothing would be proven");

        for (scoped, what) in [(own, "in another force's scope"), ("", "in no scope")] {
            scope(database, scoped).await;
            let seen = format!("select distinct force_id from {name}");
            let seen: Vec<String> =
                sqlx::query_scalar(AssertSqlSafe(seen)).fetch_all(&mut *database).await.expect("a look at it");
            assert!(seen.iter().all(|force| force == scoped), "{name} shows {seen:?} {what}");
        }
        // What own rows refuse, or what refers to them, is not the question: `other` is named so that only theirs are meant.
        scope(database, own).await;
        for statement in [
            format!("update {name} set force_id = '{own}' where force_id <> '{own}'"),
            format!("delete from {name} where force_id <> '{own}'"),
        ] {
            let done =
                sqlx::query(AssertSqlSafe(statement.clone())).execute(&mut *database).await.expect("no rows to refuse");
            assert_eq!(done.rows_affected(), 0, "{statement}");
        }
        let Some(row) = theirs.first() else { return };
        let columns = "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
                       where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''";
        let columns: String =
            sqlx::query_scalar(columns).bind(&name).fetch_one(&mut *database).await.expect("its columns");
        let insert = format!(
            "insert into {name} ({columns}) overriding system value select {columns} from jsonb_populate_record(null::{name}, $1)"
        );
        let refused = sqlx::query(AssertSqlSafe(insert)).bind(row).execute(&mut *database).await;
        let code = refused.err().and_then(|error| Some(error.as_database_error()?.code()?.into_owned()));
        // The policy, or no parent to be seen whose force the row would have.
        assert!(matches!(code.as_deref(), Some("42501" | "23502")), "{name} takes a row of {other}: {code:?}");
    }
}

async fn scope(database: &mut PgConnection, force: &str) {
    let set = sqlx::query("select set_config('alcove.force', $1, false)").bind(force).execute(database).await;
    set.expect("the scope");
}
