import CSwaggerUI
import HTTPServer

/// `/docs`: the OpenAPI document as a page, by Swagger UI, and the files of that page, which need nothing from elsewhere.
struct DocsResponder: Responder {
  let file: DocsFile

  var methods: HTTPMethod.Set { .fetch }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) {
    request.answer(200, file.contentType, headers: file.headers, file.bytes)
  }
}

/// A file of the page.
enum DocsFile: String, CaseIterable {
  /// The page itself, whose name is left out.
  case page = ""
  case start = "start.js"
  case script = "swagger-ui-bundle.js"
  case style = "swagger-ui.css"

  fileprivate var contentType: StaticString {
    switch self {
    case .page: "text/html; charset=utf-8"
    case .start, .script: "text/javascript; charset=utf-8"
    case .style: "text/css; charset=utf-8"
    }
  }

  fileprivate var headers: [(StaticString, String)] {
    switch self {
    case .page: [("Content-Security-Policy", Self.policy), ("Cache-Control", "no-cache")]
    case .start: [("Cache-Control", "no-cache")]
    // Every browser reads it, and `curl --compressed`.
    case .script, .style: [("Content-Encoding", "gzip"), ("Cache-Control", "max-age=3600")]
    }
  }

  fileprivate var bytes: UnsafeRawBufferPointer {
    var count = 0
    let start: UnsafePointer<UInt8>? =
      switch self {
      case .page: Self.bytes(of: Self.html, &count)
      case .start: Self.bytes(of: Self.starter, &count)
      case .script: cswaggerui_script(&count)
      case .style: cswaggerui_style(&count)
      }
    return UnsafeRawBufferPointer(start: start, count: count)
  }

  private static func bytes(of text: StaticString, _ count: inout Int) -> UnsafePointer<UInt8> {
    count = text.utf8CodeUnitCount
    return text.utf8Start
  }

  /// Addresses are relative to `/docs`, so that a prefix needs no mention.
  private static let html: StaticString = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>zmq-gateway: the interface</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="docs/swagger-ui.css">
    <style>
    .opblock-head, .opblock-options { display: none }
    .swagger-ui .renderedMarkdown code { padding: 0 4px }
    </style>
    </head>
    <body>
    <div id="swagger-ui"><noscript>The document itself: <a href="openapi.json">openapi.json</a></noscript></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
    </body>
    </html>

    """

  /// One's own services come first. HEAD and OPTIONS, which each path has, are left out by the style of the page, which also keeps code
  /// from covering the lines above and below it.
  private static let starter: StaticString = """
    const common = ["calls", "events", "operations"];
    SwaggerUIBundle({
      url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, docExpansion: "list", validatorUrl: null,
      tagsSorter: (a, b) => common.indexOf(a) - common.indexOf(b),
    });
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
    dark.addEventListener("change", paint);
    paint();

    """

  /// Swagger UI sets styles on its elements; what it runs is only its own.
  private static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
