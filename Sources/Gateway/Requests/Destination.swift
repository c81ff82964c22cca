/// What the head of a request has decided. A problem is rare and large, and kept apart.
enum Destination {
  /// It has not been decided.
  case unknown
  case route(Router.Route)
  indirect case nowhere(Problem)

  /// Where the request leads, if anywhere.
  var route: Router.Route? { if case .route(let route) = self { route } else { nil } }

  /// What answers the request; throws why nothing does.
  var responder: any Responder {
    get throws(Problem) {
      switch self {
      case .route(let route): return route.responder
      case .nowhere(let problem): throw problem
      case .unknown: throw Problem(.internal, "No request has begun.")
      }
    }
  }
}
