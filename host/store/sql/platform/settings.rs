//! Small named values of the platform.

use crate::sql::{PlatformDb, run};
use aistack_core::Timestamp;
use aistack_store::{Result, Settings, SettingsRead};

#[async_trait::async_trait]
impl SettingsRead for PlatformDb {
    async fn get(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_scalar!("SELECT value FROM settings WHERE name = $1", name)
        )
    }

    async fn with_prefix(&mut self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        let rows = run!(
            self,
            fetch_all,
            sqlx::query!(
                "SELECT name, value FROM settings WHERE substr(name, 1, length($1)) = $1 ORDER BY name",
                prefix
            )
        )?;
        Ok(rows.into_iter().map(|row| (row.name, row.value)).collect())
    }
}

#[async_trait::async_trait]
impl Settings for PlatformDb {
    async fn put(&mut self, name: &str, value: &[u8], at: Timestamp) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3) \
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
                name,
                value,
                at as _
            )
        )?;
        Ok(())
    }

    async fn put_new(&mut self, name: &str, value: &[u8], at: Timestamp) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
                name,
                value,
                at as _
            )
        )?;
        Ok(done.rows_affected() > 0)
    }

    async fn remove(&mut self, name: &str) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!("DELETE FROM settings WHERE name = $1", name)
        )?;
        Ok(done.rows_affected() > 0)
    }
}
