//! The officer's statement, and their notes on the package's items.

use api::referral::v1::{
    DraftStatementRequest, DraftStatementResponse, ListStatementsRequest, ListStatementsResponse,
    NotePackageItemRequest, NotePackageItemResponse, SaveStatementRequest, SaveStatementResponse,
    Statement as ProtoStatement,
};
use tonic::{Request, Status};

use super::{ask, author, due::page_size, on, timestamp};
use crate::{
    app::{App, Noted},
    domain::Statement,
    error::Error,
};

pub(super) async fn note_package_item(
    app: &App,
    request: &Request<NotePackageItemRequest>,
) -> Result<NotePackageItemResponse, Status> {
    let by = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    let (ask, on) = (ask(&request.request_id, request)?, on(&request.force_id, &request.call_id)?);
    let noted = Noted { key: &request.key, applies: request.applies, text: &request.text };
    Ok(app.note_item(ask, on, by, noted).await?)
}

pub(super) async fn draft_statement(
    app: &App,
    request: &Request<DraftStatementRequest>,
) -> Result<DraftStatementResponse, Status> {
    let by = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    request.request_id.parse::<ids::RequestId>().map_err(Error::from)?;
    let drafted = app.draft_statement(&on(&request.force_id, &request.call_id)?, &by).await?;
    Ok(DraftStatementResponse { text: drafted.text, incomplete: drafted.incomplete })
}

pub(super) async fn save_statement(
    app: &App,
    request: &Request<SaveStatementRequest>,
) -> Result<SaveStatementResponse, Status> {
    let by = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    let (ask, on) = (ask(&request.request_id, request)?, on(&request.force_id, &request.call_id)?);
    Ok(app.save_statement(ask, on, by).await?)
}

pub(super) async fn list_statements(
    app: &App,
    request: &Request<ListStatementsRequest>,
) -> Result<ListStatementsResponse, Status> {
    let request = request.get_ref();
    let before = match request.page_token.as_str() {
        "" => None,
        token => Some(token.parse::<u32>().map_err(|_| Error::PageToken)?),
    };
    let size = page_size(request.page_size);
    let (page, next) = app.list_statements(&on(&request.force_id, &request.call_id)?, before, size).await?;
    let next_page_token = next.map(|version| version.to_string()).unwrap_or_default();
    Ok(ListStatementsResponse { statements: page.into_iter().map(told).collect(), next_page_token })
}

fn told(statement: Statement) -> ProtoStatement {
    ProtoStatement {
        version: statement.version,
        officer_id: statement.saved_by.to_string(),
        at: Some(timestamp(statement.saved_at)),
        text: statement.text,
        declared: statement.declared,
    }
}
