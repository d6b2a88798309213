-- What an officer answers for in a package: notes on the checklist's items, and their statement. Every version of both stays:
-- earlier drafts that differ are disclosed, too.
create table referral.package_notes (
    call_id  uuid not null references referral.packages (call_id),
    force_id text not null,
    number   bigint generated always as identity,
    key      text not null,
    applies  boolean not null,
    words    text not null,
    noted_by text not null,
    noted_at timestamptz not null,
    primary key (call_id, number)
);
select outbox.isolate('referral.package_notes');

create table referral.statements (
    call_id  uuid not null references referral.packages (call_id),
    force_id text not null,
    version  int not null check (version > 0),
    words    text not null,
    declared boolean not null,
    saved_by text not null,
    saved_at timestamptz not null,
    primary key (call_id, version)
);
select outbox.isolate('referral.statements');
