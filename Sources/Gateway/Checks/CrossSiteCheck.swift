import HTTPServer

/// What a page of another origin has a browser send may change nothing here, whether it has a body or not. Browsers say who asks,
/// in `Origin` and `Sec-Fetch-Site`; pages cannot change either, and other clients send neither. GET and HEAD are let through:
/// their answers are kept from the page. Origins that `http.cors` lists are let through.
struct CrossSiteCheck {
  func check(_ request: GatewayRequest) throws(Problem) {
    guard request.method != .get, request.method != .head, !request.isOfListedOrigin else { return }
    if let reason = foreignPage(request) { throw Problem(.crossSite, reason) }
  }

  /// What is wrong with a request that a page of another origin has sent; nil when none has.
  func foreignPage(_ request: GatewayRequest) -> String? {
    if let origin = request.header(.origin), request.exchange.count(of: .origin) > 1 || !request.isOwn(origin) {
      let text = String(decoding: origin, as: UTF8.self)
      return
        "A page of \"\(text)\" may not send this here: it is another origin than the host's, and http.cors does not list it."
    }
    if let site = request.header(.secFetchSite),
      request.exchange.count(of: .secFetchSite) > 1 || !site.isCaseless("same-origin") && !site.isCaseless("none")
    {
      let text = String(decoding: site, as: UTF8.self)
      return
        "A page of another origin may not send this here unless http.cors lists its origin: Sec-Fetch-Site is \"\(text)\"."
    }
    return nil
  }
}
