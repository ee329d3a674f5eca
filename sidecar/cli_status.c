/* `bgpward status`: the daemon's JSON, as it is or for people to read. */
#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sidecar/cli.h"
#include "sidecar/cli_ask.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	bool *ret_json = state->input;

	switch (key) {
	case 'j':
		*ret_json = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s': status shows every pair",
			   arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "-";
}

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* "1h 4m", "4m 10s", "10s" */
static const char *span_text(json_int_t seconds, char ret_text[32])
{
	if (seconds >= 3600)
		snprintf(ret_text, 32, "%lldh %lldm", (long long)seconds / 3600,
			 (long long)seconds / 60 % 60);
	else if (seconds >= 60)
		snprintf(ret_text, 32, "%lldm %llds", (long long)seconds / 60,
			 (long long)seconds % 60);
	else
		snprintf(ret_text, 32, "%llds", (long long)seconds);
	return ret_text;
}

/* The counters that are not zero, on one line. */
static void print_counters(const char *title, json_t *counters)
{
	const char *key, *separator = title;
	json_t *value;

	json_object_foreach(counters, key, value) {
		if (json_integer_value(value) == 0)
			continue;
		printf("%s%s %lld", separator, key,
		       (long long)json_integer_value(value));
		separator = ", ";
	}
	if (separator != title)
		printf("\n");
}

static void print_child(const json_t *child)
{
	const json_t *rekey = json_object_get(child, "rekey");
	char age[32], when[32];

	printf("    %-7s  in %s, out %s, %s%s, age %s%s%s\n",
	       string_of(child, "kind"), string_of(child, "spi_in"),
	       string_of(child, "spi_out"), string_of(child, "esp"),
	       json_is_true(json_object_get(child, "taken_over")) ?
	       " (taken over)" : "",
	       span_text(number_of(child, "age"), age),
	       json_is_integer(rekey) ? ", rekey in " : "",
	       json_is_integer(rekey) ?
	       span_text(json_integer_value(rekey), when) : "");
	printf("             received %lld packets, %lld bytes; sent %lld packets, %lld bytes\n",
	       (long long)number_of(child, "packets_in"),
	       (long long)number_of(child, "bytes_in"),
	       (long long)number_of(child, "packets_out"),
	       (long long)number_of(child, "bytes_out"));
	if (number_of(child, "replay_drops") ||
	    number_of(child, "integrity_drops"))
		printf("             dropped: replay %lld, integrity %lld\n",
		       (long long)number_of(child, "replay_drops"),
		       (long long)number_of(child, "integrity_drops"));
}

static void print_warnings(json_t *warnings)
{
	json_t *warning;
	size_t i;

	json_array_foreach(warnings, i, warning)
		printf("    warning: %s\n", json_string_value(warning));
}

static void print_pair(const json_t *pair)
{
	const json_t *ike = json_object_get(pair, "ike");
	const json_t *certificate = json_object_get(pair, "certificate");
	const json_t *failure = json_object_get(pair, "failure");
	const json_t *child;
	char age[32], rekey[32];
	size_t i;

	printf("%s  AS %lld  %s <-> %s  %s, plane %s\n",
	       string_of(pair, "peer"),
	       (long long)number_of(pair, "as"), string_of(pair, "local"),
	       string_of(pair, "remote"), string_of(pair, "state"),
	       string_of(pair, "plane"));
	if (json_is_object(certificate))
		printf("    certificate of %s, until %s, CRL until %s\n",
		       string_of(certificate, "subject"),
		       string_of(certificate, "not_after"),
		       string_of(certificate, "crl_until"));
	if (json_is_object(ike))
		printf("    IKE SA as %s: %s, %s, %s%s, age %s, rekey in %s\n",
		       string_of(ike, "role"), string_of(ike, "encr"),
		       string_of(ike, "prf"), string_of(ike, "ke"),
		       json_is_true(json_object_get(ike, "ppk")) ?
		       ", PPK" : "",
		       span_text(number_of(ike, "age"), age),
		       span_text(number_of(ike, "rekey"), rekey));
	json_array_foreach(json_object_get(pair, "child"), i, child)
		print_child(child);
	if (json_is_object(failure))
		printf("    failure: %s: %s (%lld times, last %s)\n",
		       string_of(failure, "reason"),
		       string_of(failure, "message"),
		       (long long)number_of(failure, "count"),
		       string_of(failure, "last"));
	print_warnings(json_object_get(pair, "warnings"));
	print_counters("    drops: ", json_object_get(pair, "drops"));
	print_counters("    IKE drops: ", json_object_get(pair, "ike_drops"));
}

static void print_status(const json_t *status)
{
	const json_t *local = json_object_get(status, "local");
	const json_t *item;
	size_t i;

	printf("local  AS %lld  others: %s, certificate until %s\n",
	       (long long)number_of(local, "as"), string_of(local, "others"),
	       string_of(json_object_get(local, "certificate"), "not_after"));
	print_warnings(json_object_get(local, "warnings"));
	json_array_foreach(json_object_get(status, "locals"), i, item) {
		printf("    %s\n", string_of(item, "address"));
		print_counters("        drops of strangers: ",
			       json_object_get(item, "drops"));
	}
	json_array_foreach(json_object_get(status, "pairs"), i, item)
		print_pair(item);
}

int cli_status(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "json", 'j', NULL, 0, "print the daemon's JSON", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.doc = "Show every pair: state, certificate, SAs, traffic, "
		       "drops by reason.",
	};
	static char name[] = "bgpward status";
	bool as_json = false;
	json_t *status;

	argv[0] = name;
	if (argp_parse(&argp, argc, argv, 0, NULL, &as_json) != 0)
		return 2;
	status = cli_ask(json_pack("{s:s}", "command", "status"));
	if (!status)
		return 1;
	if (as_json) {
		json_dumpf(status, stdout, JSON_INDENT(2));
		printf("\n");
	} else {
		print_status(status);
	}
	json_decref(status);
	return 0;
}
