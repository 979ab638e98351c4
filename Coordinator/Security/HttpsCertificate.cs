using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ClusterLlm.Coordinator.Hosting;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Security;

/// <summary>What the HTTPS port shows: the certificate that the settings name, or one of the cluster's own authority for all names of this machine.</summary>
internal sealed class HttpsCertificate(SecurityState state, IOptions<ClusterOptions> options, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    private readonly Lock _gate = new();
    private X509Certificate2? _certificate;
    private DateTimeOffset _madeAt;

    /// <summary>Serves HTTP/1.1 and HTTP/2 over TLS on <paramref name="listen"/>.</summary>
    public void Secure(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.UseHttps(https =>
        {
            https.SslProtocols = MutualTls.Protocols;
            https.ServerCertificateSelector = (_, _) => Current();
        });
    }

    /// <summary>For people, so that they can compare it with what their browser shows.</summary>
    public string Describe()
    {
        var fingerprint = Convert.ToHexStringLower(SHA256.HashData(Current().RawData));
        return options.Value.HttpsCertificateFile.Length > 0
            ? $"certificate sha256:{fingerprint} from {options.Value.HttpsCertificateFile}"
            : $"certificate sha256:{fingerprint} of the cluster's authority {state.Authority.Fingerprint}";
    }

    public void Dispose() => _certificate?.Dispose();

    private X509Certificate2 Current()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            // Addresses of the machine change, too, so it is made anew long before it ends.
            if (_certificate is null || (options.Value.HttpsCertificateFile.Length == 0 && now - _madeAt > Lifetime / 2))
            {
                _certificate = options.Value.HttpsCertificateFile.Length > 0 ? Load() : Issue(now);
                _madeAt = now;
            }

            return _certificate;
        }
    }

    private X509Certificate2 Issue(DateTimeOffset now)
    {
        string[] names = ["localhost", Environment.MachineName, $"{Environment.MachineName}.local"];
        return state.Authority.IssueForHost(names, [IPAddress.Loopback, .. CoordinatorAddresses.OwnAddresses().Where(address => !address.IsIPv6LinkLocal)], now, Lifetime);
    }

    private X509Certificate2 Load()
    {
        try
        {
            using var given = X509Certificate2.CreateFromPemFile(options.Value.HttpsCertificateFile, options.Value.HttpsKeyFile is { Length: > 0 } key ? key : null);
            return X509CertificateLoader.LoadPkcs12(given.Export(X509ContentType.Pkcs12), password: null);
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new SettingsException($"Cluster:HttpsCertificateFile '{options.Value.HttpsCertificateFile}' can't be used: {error.Message}");
        }
    }
}
