/// What requests are served with from one reload to the next. A request ends with that with which it began.
final class Serving {
  let router: Router
  let checks: Checks
  /// Requests that have begun and have no end so far.
  @exclusivity(unchecked) private(set) var underWay = 0

  init(_ router: Router, _ checks: Checks) { (self.router, self.checks) = (router, checks) }

  func began() { underWay += 1 }

  func ended() { underWay -= 1 }
}
