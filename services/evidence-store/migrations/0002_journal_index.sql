-- Where each segment lies in the journal. Rows come from the indexer only, in journal order.

-- How far the index has come in each journal file: recovery starts reading there.
create table evidence.journal_files (
    file     bigint primary key,
    -- Every record that ends at or before this offset is indexed.
    through  bigint not null
);

create table evidence.tracks (
    exhibit_id  uuid   not null references evidence.exhibits,
    track       text   not null,
    segments    bigint not null,
    bytes       bigint not null,
    -- The chain head after the last segment.
    head        bytea  not null,
    -- The high-water mark: how many segments the fence let in. Null while the exhibit is open.
    fence       bigint,
    primary key (exhibit_id, track)
);

create table evidence.segments (
    exhibit_id  uuid        not null,
    track       text        not null,
    seq         bigint      not null,
    -- The record's place: journal file, offset of its header; `len` counts the payload alone.
    file        bigint      not null,
    at          bigint      not null,
    len         integer     not null,
    sha256      bytea       not null,
    starts_at   timestamptz not null,
    ends_at     timestamptz not null,
    -- Chain head before and after.
    prev        bytea       not null,
    chain       bytea       not null,
    primary key (exhibit_id, track, seq),
    foreign key (exhibit_id, track) references evidence.tracks
);

-- Recovery asks which segment lies at a damaged place.
create index segments_by_place on evidence.segments (file, at);

-- Other bytes sent for a place already taken. Both are kept; a person decides.
create table evidence.conflicts (
    exhibit_id  uuid        not null references evidence.exhibits,
    track       text        not null,
    seq         bigint      not null,
    sha256      bytea       not null,
    file        bigint      not null,
    at          bigint      not null,
    len         integer     not null,
    noticed_at  timestamptz not null,
    primary key (exhibit_id, track, seq, sha256)
);

-- One IntegrityAlarm event for each thing noticed, however often it is noticed.
create table evidence.alarms (
    exhibit_id  uuid        not null references evidence.exhibits,
    kind        text        not null,
    track       text        not null,
    seq         bigint      not null,
    raised_at   timestamptz not null,
    primary key (exhibit_id, kind, track, seq)
);
