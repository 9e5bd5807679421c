//! The result of `tools/list` for one person.

use crate::config::ToolProfile;
use crate::mcp::catalogue::ListForm;
use crate::mcp::views::View;
use crate::mcp::{Access, Catalogue, Era};

use super::discovery;

/// The tools that a person with this profile sees, as JSON text.
pub(super) fn listed(
    catalogue: &Catalogue,
    era: Era,
    access: Access,
    has_views: bool,
    profile: &ToolProfile,
) -> String {
    let form = ListForm {
        // Output schemas help programs, and the short list is for models.
        is_brief: *profile == ToolProfile::Core && !catalogue.is_short(),
        has_views,
    };
    catalogue.list_some(era, access, form, |tool| {
        // A read-only connection has no `use_change_tool`, so the changing tools that it may call must be listed.
        let is_only_here = form.is_brief && access == Access::ReadOnly && !tool.read_only;
        // A client shows a view only for a tool that it calls by its own name.
        let is_drawn = form.is_brief && has_views && View::of_tool(&tool.name).is_some();
        catalogue.is_short()
            || is_only_here
            || is_drawn
            || discovery::is_listed(profile, catalogue.is_short(), tool)
    })
}
