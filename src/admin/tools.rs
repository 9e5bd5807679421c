//! The tools on offer, and those in a person's list.

use super::api::{AdminAnswer, AdminRefusal};
use super::service::AdminService;
use super::views::OfferedToolView;
use crate::gateway::UnknownTool;
use crate::gateway::discovery::read_choice;

impl AdminService {
    /// Every tool that a person's list may name.
    pub(super) fn tools(&self) -> Vec<OfferedToolView> {
        let tools = self.rooms.gateway.tools().into_iter();
        tools
            .map(|tool| OfferedToolView {
                name: tool.name.to_string(),
                title: tool.title,
                core: tool.core,
                read_only: tool.read_only,
            })
            .collect()
    }

    /// Sets the tools in a person's list. A name that no tool has is refused.
    pub(super) async fn choose_tools(&self, account: &str, tools: &str) -> Result<AdminAnswer, AdminRefusal> {
        let account = self.account(account)?;
        let profile = read_choice(tools).map_err(|wrong| {
            AdminRefusal::Invalid(format!(
                "{wrong}; write core, all, default, or names separated by commas"
            ))
        })?;
        if let Some(UnknownTool { wrong, .. }) = self.rooms.gateway.unknown_tool(profile.as_ref()) {
            return Err(AdminRefusal::Invalid(format!(
                "{wrong} (`garmin-gateway tools` lists the names)"
            )));
        }
        let accounts = &self.rooms.accounts;
        accounts.choose_tools(&account, profile, |_| Ok(true)).await?;
        Ok(AdminAnswer::Done(format!(
            "Their list of tools is now: {}. Clients read it when they connect.",
            tools.trim()
        )))
    }
}
