-- The word that means "come now", as it was agreed at a triage; null: none was. Personal data: video-session alone is told, and keeps a
-- hash of it.
alter table intake.triages add column come_now_word text;
