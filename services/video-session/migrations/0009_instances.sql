-- More than one instance: a session is carried by one at a time, the owner of its current epoch. Whoever takes it over begins the
-- next epoch, and what an earlier owner still says of its own media changes nothing any more.

-- One row a running process, renewed several times within its lease. Times are this database's: one clock for all of them.
create table session.instances (
    instance_id uuid primary key,
    -- As the ingress knows it. A process of the same name takes the row of the one before, which is over by that.
    name text not null unique,
    -- The lease has been good without a break since then. Only one that has been for a while takes over from another: when this
    -- database was away nobody could renew, and everybody else's lease looks as if it had run out.
    since timestamptz not null,
    lease_until timestamptz not null
);

-- No reference: the row of a process goes with it, and its sessions are then anybody's.
alter table session.sessions
    add column owner uuid,
    add column epoch bigint not null default 0;

alter table session.tracks
    -- In which epoch it began: facts about it count for as long as that lasts.
    add column epoch bigint not null default 0,
    -- On whose disk its segments are; null for those from before there were several.
    add column instance text,
    -- Its instance says that evidence-store has all of it.
    add column whole boolean not null default false;
