extension Problem {
  /// An exception a backend answered with, as its status and as much of it as callers may see.
  init(
    _ exception: RemoteException, _ verdict: ErrorMap.Verdict, exposing exposure: Configuration.Exposure,
    instance: String = "", requestID: String = ""
  ) {
    let shown = exception.shown(exposure)
    let detail = shown.map { $0.repr ?? "The method raised \($0.type)." } ?? ""
    self.init(verdict.code, detail: detail, instance: instance, requestID: requestID)
    self.status = verdict.status
    self.exception = shown
    self.retryAfter = verdict.retryAfter
    origin = .backend
    sent = true
    // Whatever the status, the method began to run.
    isRetryable = false
  }
}

extension RemoteException {
  /// What `exposure` leaves of it.
  func shown(_ exposure: Configuration.Exposure) -> RemoteException? {
    switch exposure {
    case .full: self
    case .message: RemoteException(type: type, arguments: arguments, repr: nil)
    case .class: RemoteException(type: type, arguments: nil, repr: nil)
    case .none: nil
    }
  }
}
