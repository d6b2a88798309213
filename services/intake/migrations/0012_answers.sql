-- What a triage asks more: a caller who doesn't speak, and whether they can listen to a code; and by which rules it was judged.
-- Null, or false, of triages taken before.
alter table intake.triages
    add column silent_caller text check (silent_caller in ('pressed_55', 'taps_only', 'cannot_speak')),
    add column can_listen    boolean not null default false,
    add column rules_version text;

-- Two kinds of consent more, of which there are as many as there are children and referrals: `subject` says which, by a
-- reference that is no name. How they stand is in the call's row, {"child": {"child-1": true}, "referral": {}}.
alter table intake.consents
    add column subject text,
    drop constraint consents_kind_check,
    add constraint consents_kind_check
        check (kind in ('video', 'recording', 'stills', 'covered', 'location', 'child', 'referral')),
    add constraint consents_subject_check check ((kind in ('child', 'referral')) = (subject is not null));
alter table intake.calls add column consents_each jsonb not null default '{}';
