-- A right code is never refused because of somebody's wrong ones: beyond the limits it leads to where the caller waits, until the officer
-- has asked on the phone line whether it is them. The limits are one for all instances, and whoever has a right code is told why it
-- is of no use any more.

-- Wrong codes of everybody together, in one row. It is used up until then, as the instances' own clocks have it: each wrong code adds
-- its share of a minute, and nothing is taken off but by time.
create table session.guesses (
    only_row boolean primary key default true check (only_row),
    spent_until timestamptz not null default 'epoch'
);
insert into session.guesses default values;

alter table session.invitations
    -- Why it is void: a newer one took its place, or the officer has withdrawn it.
    add column void_reason text check (void_reason in ('replaced', 'revoked'));
update session.invitations set void_reason = 'replaced' where voided_at is not null;
alter table session.invitations
    add constraint invitations_void_has_its_reason check ((voided_at is null) = (void_reason is null));

-- A caller may wait while another is in: whoever waits changes nothing for who is there.
drop index session.participants_one_caller_one_officer;
create unique index participants_one_caller_one_officer on session.participants (session_id, role, (admitted_at is null))
    where role in ('caller', 'officer') and removed_at is null;
