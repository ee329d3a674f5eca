/* Numbers, addresses, texts, and what is blanked out of a configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/address.h"
#include "policy/config_skip.h"
#include "policy/file.h"
#include "policy/number.h"
#include "policy/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_numbers(void **state)
{
	uint64_t number = 77;

	(void)state;
	assert_true(number_parse("0", 0, &number));
	assert_int_equal(number, 0);
	assert_true(number_parse("18446744073709551615", UINT64_MAX, &number));
	assert_true(number == UINT64_MAX);
	number = 77;
	assert_false(number_parse("18446744073709551616", UINT64_MAX,
				  &number));
	assert_false(number_parse("101", 100, &number));
	assert_false(number_parse("", 100, &number));
	assert_false(number_parse("1 ", 100, &number));
	assert_false(number_parse("-1", 100, &number));
	assert_false(number_parse("1\xb9", 100, &number));
	assert_int_equal(number, 77);
	assert_true(number_parse("007", 100, &number));
	assert_int_equal(number, 7);
}

static void test_as(void **state)
{
	uint32_t as = 77;

	(void)state;
	assert_null(number_parse_as("4294967294", &as));
	assert_int_equal(as, 4294967294);
	assert_null(number_parse_as("1", &as));
	assert_int_equal(as, 1);
	assert_non_null(number_parse_as("23456", &as));
	assert_non_null(number_parse_as("4294967296", &as));
	assert_int_equal(as, 1);
}

static void test_addresses(void **state)
{
	static const char *const good[] = {
		"192.0.2.1", "126.255.255.255", "128.0.0.1",
		"223.255.255.255", "2001:db8::1", "::2", "fd00::1",
	};
	static const char *const unusable[] = {
		"0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255",
		"240.0.0.0", "255.255.255.255", "::", "ff02::1", "fe80::1",
		"febf::1", "127.0.0.1", "127.255.255.255", "::1",
	};
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		assert_true(address_parse(good[i], &address));
		assert_null(address_unusable(&address));
		assert_string_equal(address_text(&address, text), good[i]);
	}
	for (i = 0; i < COUNT(unusable); i++) {
		assert_true(address_parse(unusable[i], &address));
		assert_non_null(address_unusable(&address));
	}
	assert_false(address_parse("::ffff:192.0.2.1", &address));
}

static void test_sockaddr(void **state)
{
	struct in6_addr address, back;
	struct sockaddr_storage storage;

	(void)state;
	address_parse("192.0.2.1", &address);
	assert_int_equal(address_to_sockaddr(&address, 179, &storage),
			 sizeof(struct sockaddr_in));
	assert_true(address_from_sockaddr((struct sockaddr *)&storage, &back));
	assert_true(address_equal(&address, &back));
	address_parse("2001:db8::1", &address);
	assert_int_equal(address_to_sockaddr(&address, 179, &storage),
			 sizeof(struct sockaddr_in6));
	assert_true(address_from_sockaddr((struct sockaddr *)&storage, &back));
	assert_true(address_equal(&address, &back));
	storage.ss_family = AF_UNIX;
	assert_false(address_from_sockaddr((struct sockaddr *)&storage,
					   &back));
}

static void test_texts(void **state)
{
	char text[8] = "abcdefg", time_text[TEXT_TIME_SIZE];

	(void)state;
	text_format(text, sizeof(text), "%s", "1234567");
	assert_string_equal(text, "1234567");
	text_format(text, sizeof(text), "%s", "12345678");
	assert_string_equal(text, "1234...");
	text_format(text, sizeof(text), "%d", 12);
	text_append(text, sizeof(text), "%s", "34");
	assert_string_equal(text, "1234");
	text_append(text, sizeof(text), "%s", "56789");
	assert_string_equal(text, "1234...");
	text_append(text, sizeof(text), "x");
	assert_string_equal(text, "1234...");
	assert_string_equal(text_time(0, time_text),
			    "1970-01-01 00:00:00 UTC");
	assert_string_equal(text_time(253402300799, time_text),
			    "9999-12-31 23:59:59 UTC");
	text_time(INT64_MAX, time_text);
	assert_string_equal(time_text, "(no such time)");
}

static void test_relative(void **state)
{
	static const char *const rows[][3] = {
		{ "/etc/x/c.conf", "y", "/etc/x/y" },
		{ "/etc/x/c.conf", "/y", "/y" },
		{ "c.conf", "d/y", "d/y" },
		{ "a/c.conf", "../y", "a/../y" },
		{ "/c.conf", "y", "/y" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		char *path = file_relative(rows[i][0], rows[i][1]);

		assert_string_equal(path, rows[i][2]);
		free(path);
	}
}

static void test_skip_comments(void **state)
{
	char text[] = "a # b\n\"# c\" // d\n/* e\nf */ g '/*' \"\\\"#\" /* h";

	(void)state;
	config_skip_comments(text);
	assert_string_equal(text, "a    \n\"# c\"     \n    \n     g '/*' "
			    "\"\\\"#\"     ");
}

static void test_skip(void **state)
{
	static const struct {
		const char *text;
		int line;
		const char *name, *result;	/* NULL: not found */
	} rows[] = {
		{ "a = 1\nb = 2 c = 3\n", 2, "b", "a = 1\n      c = 3\n" },
		{ "ab = 1 b = 2", 1, "b", "ab = 1      " },
		{ "b = {1,\n\"}\" }c", 1, "b", "       \n     c" },
		{ "b += {1} c", 1, "b", "         c" },
		{ "b \"t\" {\n x { } } c", 1, "b", "       \n         c" },
		{ "b(1, 2) c", 1, "b", "        c" },
		{ "\"b\" = 1 c", 1, "b", "        c" },
		{ "b 3 c", 1, "b", "    c" },
		{ "b = {1", 1, "b", "      " },
		{ "b = \"1", 1, "b", "      " },
		{ "b", 1, "b", " " },
		{ "a = 1\n", 1, "b", NULL },
		{ "a = 1\n", 9, "a", NULL },
		{ "a = 1\n", 1, "", NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		char *text = strdup(rows[i].text);

		assert_int_equal(config_skip(text, rows[i].line, rows[i].name),
				 rows[i].result != NULL);
		if (rows[i].result != NULL) {
			/* trailing blanks do not matter */
			assert_memory_equal(text, rows[i].result,
					    strlen(text) <
					    strlen(rows[i].result) ?
					    strlen(text) :
					    strlen(rows[i].result));
			assert_int_equal(strlen(text), strlen(rows[i].text));
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_as),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_sockaddr),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_relative),
		cmocka_unit_test(test_skip_comments),
		cmocka_unit_test(test_skip),
	};

	return cmocka_run_group_tests_name("policy_words", tests, NULL, NULL);
}
