using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ClusterLlm.ServiceDefaults.Security;

namespace ClusterLlm.Integration.Security;

/// <summary>The HTTP API as another machine sees it.</summary>
[Trait("category", "slow")]
[Collection(NetworkHosts.Tests)]
public sealed class NetworkHttpsTests
{
    [Fact(Timeout = 240_000)]
    public async Task Https_GivenCertificate_AsksForKeysAndLimitsRatesAndBodiesOfOtherMachines()
    {
        var token = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("given-certificate-").FullName;
        var (certificateFile, keyFile, fingerprint) = WriteCertificate(folder);
        await using var cluster = await NetworkCluster.StartAsync(
            token,
            ("CLUSTERLLM__Cluster__HttpsCertificateFile", certificateFile), ("CLUSTERLLM__Cluster__HttpsKeyFile", keyFile), ("CLUSTERLLM__Security__RequestsPerSecond", "5"));
        await cluster.Coordinator.WaitForLineAsync($"certificate sha256:{fingerprint} from {certificateFile}", token);
        using var handler = NetworkHosts.Handler(cluster.Hosts.Agents);
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString(HashAlgorithmName.SHA256).Equals(fingerprint, StringComparison.OrdinalIgnoreCase) == true;
        using var http = new HttpClient(handler) { BaseAddress = new Uri($"https://{cluster.Hosts.CoordinatorAddress}:7443") };

        using var withoutKey = await http.GetAsync(new Uri("/v1/models", UriKind.Relative), token);
        Assert.Equal(HttpStatusCode.Unauthorized, withoutKey.StatusCode);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await cluster.CreateKeyAsync("laptop", "read", token));
        using var large = new HttpRequestMessage(HttpMethod.Post, "/api/plans") { Content = new ByteArrayContent(new byte[(64 * 1024 * 1024) + 1]) };
        large.Content.Headers.ContentType = new("application/json");
        // Else the answer may be lost with the connection that is closed under the body.
        large.Headers.ExpectContinue = true;
        using var tooLarge = await http.SendAsync(large, token);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, tooLarge.StatusCode);

        // Four seconds' worth at once, and then five in a second: of a burst of sixty some are too many, however slow this machine is just now.
        var burst = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => http.GetAsync(new Uri("/v1/models", UriKind.Relative), token)));
        var refused = Array.Find(burst, response => response.StatusCode == HttpStatusCode.TooManyRequests);
        Assert.Contains(burst, response => response.StatusCode == HttpStatusCode.Forbidden);
        Assert.Equal(TimeSpan.FromSeconds(1), refused?.Headers.RetryAfter?.Delta);
        Assert.Contains("Security:RequestsPerSecond", await refused!.Content.ReadAsStringAsync(token), StringComparison.Ordinal);
        Array.ForEach(burst, response => response.Dispose());
        for (var request = 0; request < 60; request++)
        {
            await cluster.GetAsync("/api/nodes", token);
        }

        await cluster.StopAsync();
        Assert.Empty(cluster.Leaks());
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>A certificate of another issuer, as a person has one from a public authority or a company's.</summary>
    private static (string CertificateFile, string KeyFile, string Fingerprint) WriteCertificate(string folder)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=llm.example.org", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddHours(-1), now.AddDays(1));
        var (certificateFile, keyFile) = (Path.Combine(folder, "certificate.pem"), Path.Combine(folder, "given.pem"));
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        PrivateFiles.Write(keyFile, key.ExportPkcs8PrivateKeyPem());
        return (certificateFile, keyFile, certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant());
    }
}
