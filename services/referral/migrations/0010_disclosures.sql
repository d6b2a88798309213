-- Clare's Law: what became of an application (a referral of one of two kinds), stage by stage. Rows are added and never changed.
create table referral.disclosure_stages (
    call_id     uuid not null references referral.packages (call_id),
    force_id    text not null,
    referral_id uuid not null,
    -- 1, 2, 3 ... of the application: two officers can't both record the same one.
    version     bigint not null check (version > 0),
    -- The stage as the domain writes it.
    stage       jsonb not null,
    recorded_by text not null,
    recorded_at timestamptz not null,
    primary key (referral_id, version)
);
create index disclosure_stages_of_call on referral.disclosure_stages (call_id);
select outbox.isolate('referral.disclosure_stages');
