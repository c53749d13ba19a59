//! A unit of work as one server sees it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use async_trait::async_trait;
use voicesurvey::ports::{
    ApiKeyRepository, CallAttemptRepository, CallListRepository, CallRollupRepository,
    CallTaskRepository, CampaignRepository, CompanyRepository, ContactRecordRepository,
    ErasureRepository, EventRepository, ExclusionRepository, ExportRepository, InterviewRepository,
    RetentionRepository, Scope, SkillbaseRepository, StorageError, UnitOfWork,
};

use super::may_lead;
use crate::simulation::judge::Touched;
use crate::simulation::shared::{Line, OpenWork};

/// It notes what it touches, and what it commits is judged.
pub(super) struct Work {
    pub(super) inner: Box<dyn UnitOfWork>,
    pub(super) line: Line,
    pub(super) scope: Scope,
    pub(super) touched: Touched,
    pub(super) open: OpenWork,
    pub(super) leads_in: Option<Arc<AtomicU64>>,
}

#[async_trait]
impl UnitOfWork for Work {
    fn companies(&mut self) -> &mut dyn CompanyRepository {
        self.touched.companies = true;
        self.inner.companies()
    }

    fn api_keys(&mut self) -> &mut dyn ApiKeyRepository {
        self.inner.api_keys()
    }

    fn skillbases(&mut self) -> &mut dyn SkillbaseRepository {
        self.inner.skillbases()
    }

    fn campaigns(&mut self) -> &mut dyn CampaignRepository {
        self.touched.campaigns = true;
        self.inner.campaigns()
    }

    fn call_lists(&mut self) -> &mut dyn CallListRepository {
        self.inner.call_lists()
    }

    fn call_tasks(&mut self) -> &mut dyn CallTaskRepository {
        self.inner.call_tasks()
    }

    fn call_attempts(&mut self) -> &mut dyn CallAttemptRepository {
        self.inner.call_attempts()
    }

    fn interviews(&mut self) -> &mut dyn InterviewRepository {
        self.touched.interviews = true;
        self.inner.interviews()
    }

    fn call_rollups(&mut self) -> &mut dyn CallRollupRepository {
        self.inner.call_rollups()
    }

    fn contact_records(&mut self) -> &mut dyn ContactRecordRepository {
        self.inner.contact_records()
    }

    fn exports(&mut self) -> &mut dyn ExportRepository {
        self.inner.exports()
    }

    fn exclusions(&mut self) -> &mut dyn ExclusionRepository {
        self.touched.exclusions = true;
        self.inner.exclusions()
    }

    fn erasures(&mut self) -> &mut dyn ErasureRepository {
        self.inner.erasures()
    }

    fn retention(&mut self) -> &mut dyn RetentionRepository {
        self.inner.retention()
    }

    fn events(&mut self) -> &mut dyn EventRepository {
        self.inner.events()
    }

    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        let Self {
            inner,
            line,
            scope,
            touched,
            open,
            leads_in,
        } = *self;
        line.before("commit").await;
        line.store_is_down()?;
        may_lead(&line, leads_in.as_ref())?;
        inner.commit().await?;
        drop(open);
        line.committed(scope, touched);
        line.after("commit").await;
        line.reply_is_lost("commit")
    }
}
