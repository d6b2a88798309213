-- The package as it goes into an addendum of the exhibit. Its documents are made when an officer asks, and kept here byte for byte, so
-- that bringing them to evidence-store can be tried as often as it takes, by any replica, and comes to the same.
create table referral.sealings (
    -- Also the request's id by which the addendum is opened: a repeat finds the one that it opened first.
    id            uuid        primary key,
    force_id      text        not null,
    call_id       uuid        not null references referral.packages (call_id),
    -- 1, 2 ... of the call.
    number        int         not null check (number > 0),
    asked_by      text        not null,
    asked_at      timestamptz not null,
    -- Why it is sealed with something missing; empty if nothing is.
    reason        text        not null,
    score         int         not null,
    -- The call's own exhibit.
    parent_id     uuid        not null,
    -- "added": the documents are in `exhibits`, and those aren't sealed yet.
    state         text        not null check (state in ('waiting', 'added', 'sealed', 'failed')),
    -- The addendum; more than one if it was sealed while they were brought.
    exhibits      uuid[]      not null,
    -- Of the last of them.
    reference     text        not null,
    sealed_at     timestamptz,
    attempts      int         not null,
    next_at       timestamptz,
    -- A reason of evidence-store's, without anybody's data.
    problem       text,
    -- Who has it in hand, and until when nobody else takes it.
    claim         uuid,
    claimed_until timestamptz,
    unique (call_id, number),
    check ((state in ('waiting', 'added')) = (next_at is not null)),
    check ((state = 'sealed') = (sealed_at is not null))
);
-- One on its way a call.
create unique index one_on_its_way on referral.sealings (call_id) where state in ('waiting', 'added');
create index sealings_waiting on referral.sealings (next_at) where next_at is not null;
select outbox.isolate('referral.sealings');

create table referral.sealing_documents (
    -- Also the request's id by which it is added.
    id         uuid  primary key,
    sealing_id uuid  not null references referral.sealings,
    -- In the order in which they are added.
    position   int   not null,
    name       text  not null,
    kind       text  not null check (kind in ('statement', 'risk-assessment', 'other')),
    media_type text  not null,
    sha256     bytea not null check (length(sha256) = 32),
    -- Personal data. Null once it is sealed: the addendum has it, for as long as it is kept.
    body       bytea,
    unique (sealing_id, position),
    unique (sealing_id, name)
);
select outbox.isolate_child('referral.sealing_documents', 'sealing_id', 'referral.sealings', 'id');
-- Nothing of it is changed, and nothing goes but the bytes.
create function referral.only_body_goes() returns trigger language plpgsql as $body$
begin
    if tg_op = 'UPDATE' and new.body is null
        and (new.id, new.sealing_id, new.position, new.name, new.kind, new.media_type, new.sha256)
            = (old.id, old.sealing_id, old.position, old.name, old.kind, old.media_type, old.sha256) then
        return new;
    end if;
    raise exception 'rows of referral.% are only added, and their bytes go once they are sealed', tg_table_name;
end $body$;
create trigger write_once before update or delete on referral.sealing_documents
    for each row execute function referral.only_body_goes();
