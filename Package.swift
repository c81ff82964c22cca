// swift-tools-version: 6.2

import Foundation
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6), .treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("MemberImportVisibility"),
]

/// Whether pkg-config knows a library of that name.
func isInstalled(_ library: String) -> Bool {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["pkg-config", "--exists", library]
  process.standardError = FileHandle.nullDevice
  guard (try? process.run()) != nil else { return false }
  process.waitUntilExit()
  return process.terminationStatus == 0
}

/// Since its release 6, the library has the name of its project.
let messagePack = isInstalled("msgpack-c") ? "msgpack-c" : "msgpackc"

/// The commit that is built, which `--version` tells, where whoever builds says it.
let commit = Context.environment["ZMQ_GATEWAY_COMMIT"].flatMap { commit in
  !commit.isEmpty && commit.allSatisfy { $0.isHexDigit } ? commit : nil
}

/// A Swift module of ours: one job, and only modules above it as dependencies.
func module(
  _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = [], features: [SwiftSetting] = []
) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings + features)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.init(stringLiteral: name), "Support"] + dependencies,
    resources: resources, swiftSettings: settings)
}

/// A program of `Examples`, one file each. They are targets of this package, not one of their own, so that the tests run what one build
/// has made of the libraries. Who depends on the libraries builds none of them.
func example(_ name: String) -> Target {
  .executableTarget(
    name: name, dependencies: ["ZeroMQRPC", "ZeroMQ", "MessagePack"], path: "Examples/\(name)", swiftSettings: settings)
}

let examples = [
  "getting-started", "core-dealer-router", "stream-dealer-router", "rpc-simple", "rpc-pipeline", "rpc-pubsub",
  "rpc-exception-translator", "rpc-custom-translator", "rpc-incorrect-calls", "rpc-with-subhandlers",
  "rpc-dict-handler", "rpc-dynamic",
]

let package = Package(
  name: "zmq-gateway",
  products: [
    .library(name: "Reactor", targets: ["Reactor"]),
    .library(name: "MessagePack", targets: ["MessagePack"]),
    .library(name: "MessagePackFoundation", targets: ["MessagePackFoundation"]),
    .library(name: "ZeroMQ", targets: ["ZeroMQ"]),
    .library(name: "ZeroMQRPC", targets: ["ZeroMQRPC"]),
    .library(name: "HTTPServer", targets: ["HTTPServer"]),
    .library(name: "Gateway", targets: ["Gateway"]),
    .executable(name: "zmq-gateway", targets: ["zmq-gateway"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
  ],
  targets: [
    .target(name: "CLinux"),
    .target(name: "CBuild", cSettings: commit.map { [.define("ZMQ_GATEWAY_COMMIT", to: "\"\($0)\"")] }),
    .target(name: "CZeroMQ", linkerSettings: [.linkedLibrary("zmq")]),
    .target(name: "CMessagePack", linkerSettings: [.linkedLibrary(messagePack)]),
    .target(name: "CYAML", linkerSettings: [.linkedLibrary("yaml")]),
    .target(name: "CGnuTLS", linkerSettings: [.linkedLibrary("gnutls")]),
    .target(name: "CMicroHTTPD", linkerSettings: [.linkedLibrary("microhttpd")]),
    .target(name: "CSwaggerUI", exclude: ["LICENSE", "swagger-ui-bundle.js.gz", "swagger-ui.css.gz"]),

    module("Reactor", ["CLinux"]),
    module("Metrics"),
    module("MessagePack", ["CMessagePack"]),
    module("MessagePackFoundation", ["MessagePack"]),
    module(
      "ZeroMQ",
      [
        "CZeroMQ", "Reactor", .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ],
      // Frames lend their bytes as spans.
      features: [.enableExperimentalFeature("Lifetimes")]),
    module(
      "ZeroMQRPC",
      [
        "ZeroMQ", "MessagePack", "Reactor", .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    module(
      "HTTPServer",
      [
        "CMicroHTTPD", "CGnuTLS", "CLinux", "Reactor", .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    module(
      "GatewayTracing",
      [
        "CLinux", "Reactor", .product(name: "Instrumentation", package: "swift-distributed-tracing"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
      ]),
    module("ConfigurationReader", ["CYAML"]),
    module(
      "GatewaySecurity",
      ["Reactor", .product(name: "Crypto", package: "swift-crypto"), .product(name: "JWTKit", package: "jwt-kit")]),
    module(
      "Gateway",
      [
        "CLinux", "CSwaggerUI", "Metrics", "GatewaySecurity", "GatewayTracing", "ConfigurationReader", "HTTPServer",
        "ZeroMQRPC", "ZeroMQ", "MessagePack", "Reactor",
        .product(name: "Instrumentation", package: "swift-distributed-tracing"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
        .product(name: "DequeModule", package: "swift-collections"), .product(name: "Logging", package: "swift-log"),
      ],
      resources: [
        .embedInCode("Resources/gateway.yaml"), .embedInCode("Resources/console.html"),
        .embedInCode("Resources/status.html"),
      ]),
    module(
      "Demo",
      ["Gateway", "ZeroMQRPC", "ZeroMQ", "MessagePack", "Reactor", .product(name: "Logging", package: "swift-log")]),
    .executableTarget(
      name: "zmq-gateway",
      dependencies: [
        "Demo", "Gateway", "GatewaySecurity", "ConfigurationReader", "HTTPServer", "ZeroMQRPC", "ZeroMQ", "MessagePack",
        "CLinux", "CBuild", "Reactor",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ], resources: [.embedInCode("Resources/annotated.yaml"), .embedInCode("Resources/gateway.schema.json")],
      swiftSettings: settings),

    .target(
      name: "Support",
      dependencies: [
        "Reactor", "ZeroMQ", .product(name: "Logging", package: "swift-log"),
        .product(name: "JWTKit", package: "jwt-kit"),
      ],
      path: "Tests/Support",
      resources: [.embedInCode("raw-requests.txt")],
      swiftSettings: settings),
    tests("Reactor", []),
    tests("Metrics", []),
    tests("MessagePack", ["CMessagePack"], resources: [.copy("Golden")]),
    tests("MessagePackFoundation", ["MessagePack"]),
    tests("ZeroMQ", ["CZeroMQ", "Reactor"]),
    tests(
      "ZeroMQRPC",
      [
        "ZeroMQ", "MessagePack", "Reactor", .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ], resources: [.copy("Golden")]),
    tests("HTTPServer", ["Reactor"]),
    tests("ConfigurationReader", []),
    tests("GatewaySecurity", ["Reactor"]),
    tests(
      "GatewayTracing",
      [
        "Reactor", .product(name: "Instrumentation", package: "swift-distributed-tracing"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
      ]),
    tests("zmq-gateway", []),
    tests(
      "Gateway",
      [
        "GatewaySecurity", "GatewayTracing", "ConfigurationReader", "Demo", "HTTPServer", "ZeroMQRPC", "ZeroMQ",
        "MessagePack", "Reactor", .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
        .product(name: "Instrumentation", package: "swift-distributed-tracing"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
      ]),
    .testTarget(
      name: "ExamplesTests",
      dependencies: [
        "Gateway", "HTTPServer", "ZeroMQRPC", "ZeroMQ", "MessagePack", "Reactor", "Support",
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: settings),
  ] + examples.map(example)
)
