using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using ClusterLlm.Coordinator.Placement;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Catalog;

/// <summary>What the hub knows of a model, or why it could not be asked.</summary>
internal sealed record HubAnswer(ModelSpec? Model, string? Problem);

/// <summary>Reads a model's shape and bytes from the Hugging Face hub: config.json, the index, and the headers by range requests; never weights.</summary>
internal sealed class HubClient(HttpClient http, IOptions<HubOptions> options)
{
    // The parser's own limit is higher; a header of a real file is below 2 MB.
    private const long MostHeaderBytes = 16 << 20;
    private const long MostTextBytes = 32 << 20;

    /// <param name="repository">For example <c>mlx-community/Qwen2.5-72B-Instruct-4bit</c>.</param>
    public async Task<HubAnswer> FindAsync(string repository, CancellationToken cancellationToken)
    {
        try
        {
            var config = await TextAsync(repository, "config.json", cancellationToken);
            var geometry = ConfigReader.Read(config, $"{repository}/config.json");
            var tensors = new List<HeaderTensor>();
            foreach (var file in await FilesAsync(repository, cancellationToken))
            {
                tensors.AddRange(await HeaderAsync(repository, file, cancellationToken));
            }

            return new HubAnswer(HeaderModel.Spec(repository, geometry, ConfigReader.Storage(config), tensors), null);
        }
        catch (HttpRequestException e) when (e.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            return new HubAnswer(null, $"The hub at {options.Value.Address} has no public model '{repository}' ({(int)e.StatusCode!}).");
        }
        catch (HttpRequestException e)
        {
            return new HubAnswer(null, Offline(repository, e.Message));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new HubAnswer(null, Offline(repository, $"no answer within {options.Value.Timeout.TotalSeconds:0} s"));
        }
        catch (ModelConfigException e)
        {
            return new HubAnswer(null, e.Message);
        }
    }

    private string Offline(string repository, string why) =>
        $"The hub at {options.Value.Address} can't be reached for '{repository}' ({why}). Use a model of the built-in catalogue or one that a node has.";

    private async Task<IReadOnlyCollection<string>> FilesAsync(string repository, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(repository, "model.safetensors.index.json", null, cancellationToken);
        if (answer.StatusCode == HttpStatusCode.NotFound)
        {
            return ["model.safetensors"];
        }

        answer.EnsureSuccessStatusCode();
        using var index = JsonDocument.Parse(await ReadAsync(answer, MostTextBytes, repository, cancellationToken));
        return index.RootElement.TryGetProperty("weight_map", out var map) && map.ValueKind == JsonValueKind.Object
            ? [.. map.EnumerateObject().Select(entry => entry.Value.GetString()).OfType<string>().Distinct().Order(StringComparer.Ordinal)]
            : throw new ModelConfigException($"{repository}/model.safetensors.index.json has no weight_map.");
    }

    private async Task<string> TextAsync(string repository, string file, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(repository, file, null, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return System.Text.Encoding.UTF8.GetString(await ReadAsync(answer, MostTextBytes, $"{repository}/{file}", cancellationToken));
    }

    private async Task<IReadOnlyCollection<HeaderTensor>> HeaderAsync(string repository, string file, CancellationToken cancellationToken)
    {
        var name = $"{repository}/{file}";
        var length = BinaryPrimitives.ReadInt64LittleEndian(await RangeAsync(repository, file, 0, 8, cancellationToken));
        if (length is < 2 or > MostHeaderBytes)
        {
            throw new ModelConfigException($"{name}: its header claims {length} bytes; 2 to {MostHeaderBytes} are believable. It is no safetensors file.");
        }

        using var header = JsonDocument.Parse(await RangeAsync(repository, file, 8, length, cancellationToken));
        return
        [
            .. header.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__").Select(entry =>
                entry.Value.TryGetProperty("data_offsets", out var offsets) && offsets.GetArrayLength() == 2
                    ? new HeaderTensor(entry.Name, offsets[1].GetInt64() - offsets[0].GetInt64())
                    : throw new ModelConfigException($"{name}: tensor {entry.Name} has no data_offsets.")),
        ];
    }

    private async Task<byte[]> RangeAsync(string repository, string file, long from, long count, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(repository, file, new RangeHeaderValue(from, from + count - 1), cancellationToken);
        answer.EnsureSuccessStatusCode();
        if (answer.StatusCode != HttpStatusCode.PartialContent)
        {
            throw new ModelConfigException($"{repository}/{file}: the hub sends the whole file instead of {count} bytes; it is not downloaded.");
        }

        var bytes = await ReadAsync(answer, count, $"{repository}/{file}", cancellationToken);
        return bytes.Length == count
            ? bytes
            : throw new ModelConfigException($"{repository}/{file}: the hub sent {bytes.Length} bytes instead of {count}.");
    }

    private async Task<HttpResponseMessage> SendAsync(string repository, string file, RangeHeaderValue? range, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(options.Value.Timeout);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(options.Value.Address, $"{repository}/resolve/main/{file}"));
        request.Headers.Range = range;
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token);
    }

    private static async Task<byte[]> ReadAsync(HttpResponseMessage answer, long most, string name, CancellationToken cancellationToken)
    {
        await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        using var buffer = new MemoryStream();
        var chunk = new byte[64 * 1024];
        int read;
        while ((read = await body.ReadAsync(chunk, cancellationToken)) > 0)
        {
            buffer.Write(chunk, 0, read);
            if (buffer.Length > most)
            {
                throw new ModelConfigException($"{name} is longer than {most} bytes.");
            }
        }

        return buffer.ToArray();
    }
}
