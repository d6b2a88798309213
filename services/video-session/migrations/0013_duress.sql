-- Duress: the caller has asked for help without saying so, by a word or by three taps on a dull corner of their page. Nothing of it is
-- ever shown to them, and nothing that they do takes it back.
alter table session.sessions
    -- How and when, as it was news last; null: never.
    add column duress_how text check (duress_how in ('word', 'corner')),
    add column duress_at timestamptz,
    -- How often, in all.
    add column duress_count integer not null default 0,
    -- The newest of either kind that was heard of: the line's number, and the page's own count. Older ones change nothing any more.
    add column duress_word integer not null default 0,
    add column duress_corner integer not null default 0,
    -- Which officer has seen it, and when.
    add column duress_seen_at timestamptz,
    add column duress_seen_by text,
    -- The word that means "come now": intake was asked for it, and this is its keyed hash, if there is one. The word itself is nowhere here.
    add column word_asked boolean not null default false,
    add column word_hash bytea check (length(word_hash) = 32);

alter table session.sessions
    alter column duress_count drop default,
    alter column duress_word drop default,
    alter column duress_corner drop default,
    alter column word_asked drop default,
    add constraint duress_whole check ((duress_how is null) = (duress_at is null)),
    add constraint duress_seen_whole check ((duress_seen_at is null) = (duress_seen_by is null));

-- Asked for again and again until intake answers, and few at any time.
create index sessions_of_unknown_word on session.sessions (session_id) where not word_asked and state <> 'ended';
