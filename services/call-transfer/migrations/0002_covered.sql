-- The call may be recorded also while the caller has covered it. Of a call that came before this was asked: not agreed.
alter table transfer.calls add column covered_recording_consented boolean not null default false;
alter table transfer.calls alter column covered_recording_consented drop default;
