-- Upgrades: what an installation was before, what waits for consent, whether releases leave it alone.
ALTER TABLE installations ADD COLUMN pinned BIGINT NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1));
ALTER TABLE installations ADD COLUMN previous TEXT COLLATE "C";
ALTER TABLE installations ADD COLUMN pending TEXT COLLATE "C";

-- Calls: what was called, in which queue it stood, how many turns it took on a processor.
ALTER TABLE calls ADD COLUMN plugin TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN digest TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN lane TEXT COLLATE "C" NOT NULL DEFAULT 'ordinary';
ALTER TABLE calls ADD COLUMN turns BIGINT NOT NULL DEFAULT 0;
