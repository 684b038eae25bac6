# Builds gauged from source. Put it into a tap of your own, `homebrew-tap/Formula/gauged.rb`, then
# `brew install --HEAD YOU/tap/gauged && brew services start gauged`.
#
# There is no release yet. With the first one come `url` of its source archive and its `sha256`, above `head`.
class Gauged < Formula
  desc "Host and GPU metrics for Prometheus, with the same names on Linux and macOS"
  homepage "https://github.com/gauged/gauged"
  license "Apache-2.0"
  head "https://github.com/gauged/gauged.git", branch: "main"

  depends_on "rust" => :build

  def install
    system "cargo", "install", *std_cargo_args
  end

  # No process_type: Background would throttle it, and keep it on efficiency cores.
  service do
    run [opt_bin/"gauged", "serve", "--web.listen-address=127.0.0.1:10100"]
    keep_alive true
    error_log_path var/"log/gauged.log"
  end

  test do
    assert_match(/^gauged \d/, shell_output("#{bin}/gauged --version"))
    assert_match "host_memory_available_bytes", shell_output("#{bin}/gauged schema")
    assert_match(/^gauged_build_info\{/, shell_output("#{bin}/gauged once"))

    port = free_port
    daemon = spawn("#{bin}/gauged", "serve", "--web.listen-address=127.0.0.1:#{port}")
    begin
      scrape = shell_output("curl --silent --retry 5 --retry-connrefused http://127.0.0.1:#{port}/metrics")
      assert_match(/^host_memory_total_bytes \d/, scrape)
    ensure
      Process.kill "TERM", daemon
      Process.wait daemon
    end
  end
end
