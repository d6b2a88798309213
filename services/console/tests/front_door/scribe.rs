//! A call-transfer that writes down what it was sent, and says on its streams what the test says.

use std::sync::{Arc, Mutex};

use api::transfer::v1::{
    AcceptOfferRequest, AcceptOfferResponse, AcknowledgeAlertRequest, AcknowledgeAlertResponse, AgreeLoanRequest,
    AgreeLoanResponse, CancelCallbackRequest, CancelCallbackResponse, CancelShiftRequest, CancelShiftResponse,
    DeclineOfferRequest, DeclineOfferResponse, EndLoanRequest, EndLoanResponse, GetDeskFiguresRequest,
    GetDeskFiguresResponse, HeartbeatRequest, HeartbeatResponse, ListCallbacksRequest, ListCallbacksResponse,
    ListLoansRequest, ListLoansResponse, ListShiftsRequest, ListShiftsResponse, OfferLoanRequest, OfferLoanResponse,
    ReassignCallRequest, ReassignCallResponse, RecordCallbackAttemptRequest, RecordCallbackAttemptResponse,
    ReturnToControlRoomRequest, ReturnToControlRoomResponse, ScheduleCallbackRequest, ScheduleCallbackResponse,
    SetPresenceRequest, SetPresenceResponse, SetShiftRequest, SetShiftResponse, TakeCallbackRequest,
    TakeCallbackResponse, WatchDeskRequest, WatchDeskResponse, WatchFiguresRequest, WatchFiguresResponse,
    transfer_service_server::{TransferService, TransferServiceServer},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, metadata::MetadataMap};

pub const WATCH: &str = "/alcove.transfer.v1.TransferService/WatchDesk";
pub const HEARTBEAT: &str = "/alcove.transfer.v1.TransferService/Heartbeat";

type Said = Result<WatchDeskResponse, Status>;

pub struct Scribe {
    pub url: String,
    pen: Pen,
}

#[derive(Clone, Default)]
struct Pen {
    seen: Arc<Mutex<Vec<MetadataMap>>>,
    says: Arc<Mutex<Vec<mpsc::Sender<Said>>>>,
}

impl Scribe {
    pub async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let pen = Pen::default();
        let server = tonic::transport::Server::builder().add_service(TransferServiceServer::new(pen.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        Self { url, pen }
    }

    /// With what the last heartbeat came that nobody has asked about.
    pub fn seen(&self) -> Option<MetadataMap> {
        self.pen.seen.lock().unwrap().pop()
    }

    /// On every open stream.
    pub async fn say(&self, said: Said) {
        let all = self.pen.says.lock().unwrap().clone();
        for says in all {
            let _ = says.send(said.clone()).await;
        }
    }
}

#[tonic::async_trait]
impl TransferService for Pen {
    async fn heartbeat(&self, request: Request<HeartbeatRequest>) -> Result<Response<HeartbeatResponse>, Status> {
        self.seen.lock().unwrap().push(request.metadata().clone());
        Ok(Response::new(HeartbeatResponse::default()))
    }

    type WatchDeskStream = ReceiverStream<Result<WatchDeskResponse, Status>>;

    async fn watch_desk(&self, _: Request<WatchDeskRequest>) -> Result<Response<Self::WatchDeskStream>, Status> {
        let (says, stream) = mpsc::channel(4);
        self.says.lock().unwrap().push(says);
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn set_presence(&self, _: Request<SetPresenceRequest>) -> Result<Response<SetPresenceResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn accept_offer(&self, _: Request<AcceptOfferRequest>) -> Result<Response<AcceptOfferResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn decline_offer(&self, _: Request<DeclineOfferRequest>) -> Result<Response<DeclineOfferResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn return_to_control_room(
        &self,
        _: Request<ReturnToControlRoomRequest>,
    ) -> Result<Response<ReturnToControlRoomResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn reassign_call(&self, _: Request<ReassignCallRequest>) -> Result<Response<ReassignCallResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn acknowledge_alert(
        &self,
        _: Request<AcknowledgeAlertRequest>,
    ) -> Result<Response<AcknowledgeAlertResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn get_desk_figures(
        &self,
        _: Request<GetDeskFiguresRequest>,
    ) -> Result<Response<GetDeskFiguresResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    type WatchFiguresStream = ReceiverStream<Result<WatchFiguresResponse, Status>>;

    async fn watch_figures(
        &self,
        _: Request<WatchFiguresRequest>,
    ) -> Result<Response<Self::WatchFiguresStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn schedule_callback(
        &self,
        _: Request<ScheduleCallbackRequest>,
    ) -> Result<Response<ScheduleCallbackResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list_callbacks(
        &self,
        _: Request<ListCallbacksRequest>,
    ) -> Result<Response<ListCallbacksResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn take_callback(&self, _: Request<TakeCallbackRequest>) -> Result<Response<TakeCallbackResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn record_callback_attempt(
        &self,
        _: Request<RecordCallbackAttemptRequest>,
    ) -> Result<Response<RecordCallbackAttemptResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn cancel_callback(
        &self,
        _: Request<CancelCallbackRequest>,
    ) -> Result<Response<CancelCallbackResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn set_shift(&self, _: Request<SetShiftRequest>) -> Result<Response<SetShiftResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn cancel_shift(&self, _: Request<CancelShiftRequest>) -> Result<Response<CancelShiftResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list_shifts(&self, _: Request<ListShiftsRequest>) -> Result<Response<ListShiftsResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn offer_loan(&self, _: Request<OfferLoanRequest>) -> Result<Response<OfferLoanResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn agree_loan(&self, _: Request<AgreeLoanRequest>) -> Result<Response<AgreeLoanResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn end_loan(&self, _: Request<EndLoanRequest>) -> Result<Response<EndLoanResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list_loans(&self, _: Request<ListLoansRequest>) -> Result<Response<ListLoansResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}
