import CLinux
import Gateway
import Glibc
import ServiceLifecycle

/// Gives memory that was freed back to the system: blocks below 32 KiB that lie between others stay with the process otherwise, as after some
/// thousand connections of TLS.
///
/// It looks every four seconds, on no reactor's thread, and asks the allocator to give when 8 MiB more of the process than before are in no
/// use. To give 35 MiB took 7 ms on two cores, and a look 0.2 to 2.6; a reactor that allocates just then may wait for a part of that.
struct FreedMemory: Service {
  private static let period = Duration.seconds(4)

  func run() async throws {
    var memory = UnusedMemory(Self.look().unused)
    while await Self.isNextDue() {
      let (resident, unused) = Self.look()
      guard memory.isWorthwhile(unused) else { continue }
      malloc_trim(0)
      memory.gave(resident - Self.look().resident, of: unused)
    }
  }

  private static func isNextDue() async -> Bool {
    await cancelWhenGracefulShutdown { (try? await Task.sleep(for: period)) != nil }
  }

  /// Bytes of the process in memory, those of files left out, and how many more they are than what is in use.
  private static func look() -> (resident: Int, unused: Int) {
    let pages = ((try? TextFile.read("/proc/self/statm")) ?? "").split(separator: " ").map { Int($0) ?? 0 }
    let resident = pages.count > 2 ? (pages[1] - pages[2]) * Int(getpagesize()) : 0
    let heap = mallinfo2()
    return (resident, resident - heap.uordblks - heap.hblkhd)
  }
}
